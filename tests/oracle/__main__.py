"""Ground truth for `how many more connect() succeed?`, on the running kernel.

    python -m tests.oracle list                 the situations, a sentence each
    python -m tests.oracle run NAME             one of them, with all that was said
    python -m tests.oracle grade                all: what was told, beside what connect() really did
    python -m tests.oracle table                the same on older kernels too, as docs/accuracy.md has it

Each situation is built in fresh network namespaces; the observer answers; then connects are really made until the
kernel refuses one. Without --observe the observer is portgauge as installed beside this interpreter.
"""

import argparse
import json
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.netns import become_root_of_own_namespaces
from tests.oracle import table
from tests.oracle.catalogue import Situation, everything
from tests.oracle.judge import judge
from tests.oracle.observer import Observer, in_process, program, shell_line
from tests.oracle.outcome import Outcome, exact_percent, line, outcome_of, summary

ON_KERNEL = Path(__file__).resolve().parent.parent / "kernels" / "on-kernel"
KERNELS = ["6.12", "6.1"]


def main() -> int:
    """Do what the command line asks; 1 where a verdict is a failure, or too few are exact."""
    arguments = _parser().parse_args()
    situations = list(everything())
    if arguments.command == "list":
        for one in situations:
            print(f"{one.name:40} {one.says}")
        return 0
    become_root_of_own_namespaces()
    return int(arguments.do(arguments, situations))


def _run(arguments: argparse.Namespace, situations: Iterable[Situation]) -> int:
    chosen = [one for one in situations if one.name == arguments.name]
    if not chosen:
        sys.exit(f"no situation {arguments.name!r}: python -m tests.oracle list")
    outcome = judge(chosen[0], _observer(arguments))
    print(json.dumps(outcome.plain(), indent=2))
    return int(outcome.verdict.is_failure)


def _grade(arguments: argparse.Namespace, situations: Iterable[Situation]) -> int:
    outcomes = []
    for outcome in _outcomes(arguments, situations):
        outcomes.append(outcome)
        if not arguments.json:
            print(line(outcome), flush=True)
    if arguments.json:
        print(json.dumps({"kernel": platform.release(), "outcomes": [one.plain() for one in outcomes]}))
    share = exact_percent(outcomes)
    print(f"{summary(outcomes)}; {share:.1f} % exact", file=sys.stderr if arguments.json else sys.stdout)
    return int(any(one.verdict.is_failure for one in outcomes) or share < arguments.least_exact)


def _table(arguments: argparse.Namespace, situations: Iterable[Situation]) -> int:
    results = {platform.release(): [judge(one, in_process) for one in situations]}
    for series in arguments.kernel:
        results |= _on_kernel(series)
    print(table.totals(results))
    if arguments.write:
        table.write(results)
    return int(any(one.verdict.is_failure for outcomes in results.values() for one in outcomes))


def _on_kernel(series: str) -> dict[str, list[Outcome]]:
    """The outcomes under another kernel, by its release; none, with a line that says why, where it cannot be had."""
    command = shlex.join([sys.executable, "-m", "tests.oracle", "grade", "--in-process", "--json"])
    ran = subprocess.run([ON_KERNEL, series, command], stdout=subprocess.PIPE, text=True, check=False)
    found = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if not found:
        print(ran.stdout, file=sys.stderr, end="")
        return {}
    document = json.loads(found[0])
    return {document["kernel"]: [outcome_of(plain) for plain in document["outcomes"]]}


def _outcomes(arguments: argparse.Namespace, situations: Iterable[Situation]) -> Iterator[Outcome]:
    observe = _observer(arguments)
    return (judge(one, observe) for one in situations if re.search(arguments.only, one.name))


def _observer(arguments: argparse.Namespace) -> Observer:
    if arguments.observe:
        return shell_line(arguments.observe)
    return in_process if arguments.in_process else program


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the situations, a sentence each")
    run = commands.add_parser("run", help="try one situation")
    run.add_argument("name", metavar="NAME")
    run.set_defaults(do=_run)
    grade = commands.add_parser("grade", help="try all of them; exit 1 if an answer is wrong or missing")
    grade.add_argument("--only", default="", metavar="REGEX", help="those whose name it is found in")
    grade.add_argument("--json", action="store_true", help="print one JSON object")
    grade.add_argument("--least-exact", type=float, default=0, metavar="PERCENT", help="fewer exact ones: exit 1")
    grade.set_defaults(do=_grade)
    tables = commands.add_parser("table", help="try all of them on several kernels and print the totals")
    tables.add_argument("--write", action="store_true", help="put the tables into docs/accuracy.md")
    tables.add_argument(
        "--kernel", nargs="*", default=KERNELS, metavar="SERIES", help="beside this one (default: %(default)s)"
    )
    tables.set_defaults(do=_table)
    for command in (run, grade):
        observer = command.add_mutually_exclusive_group()
        observer.add_argument(
            "--observe",
            metavar="CMD",
            help="judge this shell line, which prints JSON with headroom, headroom_min, headroom_max; "
            "{local} {peer} {port} {protocol} {options} are filled in",
        )
        observer.add_argument("--in-process", action="store_true", help="call portgauge without starting a program")
    return parser


if __name__ == "__main__":
    sys.exit(main())
