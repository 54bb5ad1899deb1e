"""Pages that are written for the repository, read on a site."""

from pathlib import Path

from tools.site import first_page, inside, listed


def test_links_of_readme_begin_in_docs() -> None:
    readme = "[a](docs/api.md#pages) ![b](docs/images/b.png) [c](packaging/) [d](https://example.org) [e](#here)"

    assert (
        first_page(readme)
        == "[a](api.md#pages) ![b](images/b.png) [c](../packaging/) [d](https://example.org) [e](#here)"
    )


def test_links_out_of_docs_are_what_they_say() -> None:
    text = "[the units](../packaging/systemd/), [rules](rules.md), [why](decisions/), [x](https://example.org)"

    assert inside(text, Path()) == ("the units, [rules](rules.md), [why](decisions/index.md), [x](https://example.org)")
    assert inside("[up](../operating.md) [out](../../README.md)", Path("decisions")) == "[up](../operating.md) out"


def test_each_decision_has_its_line() -> None:
    assert (
        "- [0141 A revision of the fleet's configuration is its rollout](0141-a-revision-is-its-rollout.md)" in listed()
    )
