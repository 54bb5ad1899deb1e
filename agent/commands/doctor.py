"""`portgauge-agent doctor`: what the agent can see here, what is hidden from it, and how to grant what is missing."""

import argparse
import json
from typing import Any

from agent.doctor import WANTED, Facts, Finding, Verdict, findings, grant_all, hides_anything
from agent.examination import examine


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor",
        help="tell what is hidden from the agent here, and how to grant it",
        description="Try out kernel features, capabilities and namespaces. Exit 0: nothing is hidden; 1: something is.",
        epilog="example: portgauge-agent doctor (as the user, and in the unit or container, of the agent itself)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Examine this host and print what was found."""
    facts = examine()
    found = findings(facts)
    print(json.dumps(report(facts, found), indent=2) if arguments.json else text(facts, found))
    return 1 if hides_anything(found) else 0


def report(facts: Facts, found: list[Finding]) -> dict[str, Any]:
    """As plain values. The keys are kept."""
    return {
        "hidden": sum(one.verdict is Verdict.HIDDEN for one in found),
        "capabilities": {"held": sorted(facts.held), "missing": facts.missing},
        "namespaces": list(facts.namespaces),
        "unreadable": [{"namespaces": one.namespaces, "why": one.why} for one in facts.unreadable],
        "findings": [
            {
                "topic": one.topic,
                "verdict": one.verdict.value,
                "says": one.says,
                "hides": one.hides,
                "grants": list(one.grants),
            }
            for one in found
        ],
        "grant_all": grant_all(facts, found),
    }


def text(facts: Facts, found: list[Finding]) -> str:
    """As a person reads it: a finding a paragraph, the remedy for all of them last."""
    lines = [line for one in found for line in _lines(one)]
    lines.append("")
    lines += [
        f"{name:<20} {'held' if name not in facts.missing else 'missing':<7}  {use}" for name, use in WANTED.items()
    ]
    count = sum(one.verdict is Verdict.HIDDEN for one in found)
    lines += ["", f"{count} of {len(found)} hidden" if count else "nothing is hidden"]
    return "\n".join(lines + [f"  {way}" for way in grant_all(facts, found)])


def _lines(finding: Finding) -> list[str]:
    mark = finding.verdict.upper() if finding.verdict is Verdict.HIDDEN else finding.verdict.value
    lines = [f"{mark:<7} {finding.topic:<14} {finding.says}"]
    if finding.hides:
        lines.append(f"{'':<22} hides: {finding.hides}")
    return lines + [f"{'':<22} mend:  {grant}" for grant in finding.grants]
