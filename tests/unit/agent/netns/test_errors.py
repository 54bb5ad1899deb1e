"""Messages a person can act on."""

import errno

from agent.netns.errors import EntryRefused, NamespaceGone, UnknownNamespace


def test_a_wrong_name_gets_the_nearest_and_all_there_are() -> None:
    error = UnknownNamespace("wbe1", ["host", "web1"], 2)

    assert str(error) == (
        "no network namespace 'wbe1'; did you mean 'web1'? known: host, web1 "
        "(2 more cannot be read: see portgauge-agent doctor)"
    )
    assert "did you mean" not in str(UnknownNamespace("x", ["host"], 0))


def test_a_refusal_names_the_capability() -> None:
    assert "CAP_SYS_ADMIN" in str(EntryRefused(errno.EPERM))
    assert "CAP_SYS_PTRACE" in str(EntryRefused(errno.EACCES))
    assert "Cannot allocate memory" in str(EntryRefused(errno.ENOMEM))


def test_an_ended_namespace_is_told_by_its_name() -> None:
    assert "web1 has ended" in str(NamespaceGone("web1"))
