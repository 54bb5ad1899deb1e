"""Names come from people where people gave any, and are told apart where two would be alike."""

import pytest

from agent.netns.naming import HOST, OWN, Traits, name_of, printable, unique
from shared.limits import MAX_NAME_CHARS

POD = "0a1b2c3d-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    ("traits", "name", "is_lasting"),
    [
        (Traits(7, given=["edge"], cgroups="0::/system.slice/a.service", comm="a", pid=5), "edge", True),
        (Traits(7, given=["cni-0a1b2c3d-1111"], cgroups=f"0::/kubepods/pod{POD}/x", pid=5), f"pod-{POD}", True),
        (Traits(7, given=["cni-0a1b2c3d-1111"], comm="pause", pid=5), "pause[5]", False),
        (Traits(7, given=["cni-0a1b2c3d-1111"]), "cni-0a1b2c3d-1111", False),
        (Traits(7, sandboxes=["ingress_sbox"]), "docker-netns-ingress_sbox", False),
        (Traits(7, comm="haproxy", pid=5), "haproxy[5]", False),
        (Traits(7), "net:[7]", False),
    ],
)
def test_what_people_chose_comes_first_and_lasts(traits: Traits, name: str, *, is_lasting: bool) -> None:
    found = name_of(traits)

    assert (found.text, found.is_lasting) == (name, is_lasting)


def test_names_alike_are_told_apart() -> None:
    with_process, without = Traits(7, pid=5), Traits(8)

    assert unique("a.service", [], with_process) == "a.service"
    assert unique("a.service", ["a.service"], with_process) == "a.service[5]"
    assert unique("a.service", ["a.service"], without) == "a.service[8]"
    assert unique("a.service", ["a.service", "a.service[5]"], with_process) == "a.service[7]"


@pytest.mark.parametrize("reserved", [HOST, OWN])
def test_nobody_else_gets_a_name_with_a_meaning_of_its_own(reserved: str) -> None:
    assert unique(reserved, [], Traits(7, pid=5)) == f"{reserved}[5]"


def test_any_file_name_becomes_one_that_may_travel() -> None:
    """File names are bytes: Python keeps those that are no UTF-8 as lone surrogates."""
    assert printable("a\nb\udcff\x1b") == "a?b??"
    assert len(unique(printable("x" * 255), [printable("x" * 255)], Traits(2**32 - 1))) <= MAX_NAME_CHARS
