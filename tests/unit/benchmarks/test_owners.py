"""The figures of owners come from real sockets."""

import re

import pytest

from benchmarks import owners
from tests.builders import a_pool
from tests.netns import Netns


def test_each_half_of_a_look_is_measured(netns: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    netns.run(owners.look, [a_pool()])

    out = capsys.readouterr().out
    assert len(re.findall(r" \d+\.\d ms$", out, re.MULTILINE)) == 4
    assert out.endswith("1 hot pools, of 0 a process was found\n")
