"""What `make docs` does beyond mkdocs: README is the first page, decisions are listed, links out of docs/ are text.

The pages are written to be read in the repository. Nothing of them is written twice for the site.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of others."""
    for path, text in (("index.md", first_page((ROOT / "README.md").read_text())), ("decisions/index.md", listed())):
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A site has no source tree beside it. Who searches it wants help first, and reasons last."""
    del config, files
    folder = Path(page.file.src_uri).parent
    if folder.name == "decisions":
        page.meta["search"] = {"boost": 0.1}
    return inside(markdown, folder)


def first_page(readme: str) -> str:
    """README as a page of docs/: its links begin there, and those that lead elsewhere go up."""

    def moved(link: re.Match[str]) -> str:
        text, target = link["text"], link["target"]
        if "://" in target or target.startswith("#"):
            return link.group()
        return f"[{text}]({target.removeprefix('docs/') if target.startswith('docs/') else f'../{target}'})"

    return _LINK.sub(moved, readme)


def inside(markdown: str, folder: Path) -> str:
    """`markdown`, of a page in `folder` of docs/, with links to files outside of docs/ as what they say."""

    def kept(link: re.Match[str]) -> str:
        if "://" in link["target"] or link["target"].startswith("#"):
            return link.group()
        is_inside = (ROOT / "docs" / folder / link["target"]).resolve().is_relative_to(ROOT / "docs")
        if is_inside and link["target"].endswith("/"):
            return f"[{link['text']}]({link['target']}index.md)"
        return link.group() if is_inside else link["text"]

    return _LINK.sub(kept, markdown)


def listed() -> str:
    """A page with a line a decision."""
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    lines = [f"- [{_title(page)}]({page.name})" for page in pages]
    return "\n".join(["# Decisions", "", "Why it is as it is, one page a decision.", "", *lines, ""])


def _title(page: Path) -> str:
    return page.read_text().partition("\n")[0].removeprefix("# ")
