"""docs/troubleshooting.md quotes messages as they are: whoever searches for one must find it."""

import re
from pathlib import Path

import pytest

from agent.evidence.phrases import recognise

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
APPLICATIONS, OURS = PAGE.split("## What the agent says")
SOURCE = "\n".join(
    path.read_text() for place in ("agent", "collector", "shared") for path in (ROOT / place).rglob("*.py")
)
SAID = re.sub(r"""\"\s*\n\s*f?\"""", "", SOURCE)
"""With texts that go on in the next line put together."""


@pytest.mark.parametrize("message", re.findall(r"^### `(.+)`$", OURS, re.MULTILINE))
def test_we_say_what_is_quoted(message: str) -> None:
    parts = [part.strip(" :") for part in message.split("…")]

    assert any(parts)
    assert [part for part in parts if part not in SAID] == []


def test_the_agent_recognises_what_applications_are_quoted_with() -> None:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", APPLICATIONS, re.MULTILINE | re.DOTALL)
    lines = [line for language, block in blocks if not language for line in block.splitlines()]

    assert len(lines) > 4
    assert [line for line in lines if recognise(line) is None] == []
