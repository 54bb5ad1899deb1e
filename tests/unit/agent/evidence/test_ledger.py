"""What was said since the last snapshot."""

import pytest

from agent.evidence import ledger as module
from agent.evidence.ledger import Ledger, Said
from agent.evidence.phrases import Phrase

NO_PORTS = Phrase("haproxy", "no free ports")


def test_the_same_words_are_one_entry_with_the_last_time() -> None:
    ledger = Ledger()
    for at_ms in (5, 9, 7):
        ledger.add(NO_PORTS, at_ms)

    assert ledger.take() == (Said(NO_PORTS, 3, 9),)


def test_what_was_taken_is_gone() -> None:
    ledger = Ledger()
    ledger.add(NO_PORTS, 5)
    ledger.take()

    assert ledger.take() == ()


def test_what_could_not_be_told_is_told_with_what_came_since() -> None:
    ledger = Ledger()
    ledger.add(NO_PORTS, 5)
    taken = ledger.take()
    ledger.add(NO_PORTS, 8)
    ledger.put_back(taken)

    assert ledger.take() == (Said(NO_PORTS, 2, 8),)


def test_past_the_bound_different_words_are_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ENTRIES", 1)
    ledger = Ledger()
    ledger.add(NO_PORTS, 5)
    ledger.add(Phrase("nginx", "other"), 6)
    ledger.add(NO_PORTS, 7)

    assert (ledger.take(), ledger.beyond) == ((Said(NO_PORTS, 2, 7),), 1)
