"""Links of README and docs lead to files that are there, and to headings that are there, as GitHub names them."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "requirements").glob("*.md")]
_FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


def prose(text: str) -> str:
    """Without blocks of code, in which `#` and brackets mean something else."""
    return _FENCE.sub("", text)


def slug(heading: str) -> str:
    """`Agent: `x --y`` → `agent-x---y`; of a link its text."""
    shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")


def anchors_of(text: str) -> set[str]:
    """Of a page: a heading that comes again has its number."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(text)):
        name, count = slug(heading), 0
        while (f"{name}-{count}" if count else name) in found:
            count += 1
        found.add(f"{name}-{count}" if count else name)
    return found


@cache
def anchors(page: Path) -> set[str]:
    return anchors_of(page.read_text())


def broken(page: Path, text: str) -> list[str]:
    """Its links within the repository that lead nowhere."""
    links = [link for link in _LINK.findall(_CODE.sub("", prose(text))) if "://" not in link]
    return [link for link in links if not leads_somewhere(page, link)]


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return target.exists() and (not anchor or (target.suffix == ".md" and anchor in anchors(target)))


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page, page.read_text()) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    text = "[a](docs/api.md#pages) [b](docs/api.md#nowhere) [c](docs/none.md) `[d](none)` [e](https://example.org/#x)"

    assert broken(ROOT / "README.md", text) == ["docs/api.md#nowhere", "docs/none.md"]


def test_anchors_are_named_as_they_are_on_github() -> None:
    text = "# Two words\n## `run --config FILE`, twice\n## [A](b.md) link\n## Two words\n```sh\n# not a heading\n```\n"

    assert anchors_of(text) == {"two-words", "run---config-file-twice", "a-link", "two-words-1"}
