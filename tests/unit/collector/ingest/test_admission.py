"""How much may be on its way in."""

import pytest

from collector.ingest.admission import Admission, Overloaded


def test_what_does_not_fit_is_refused_until_room_is_made() -> None:
    admission = Admission(max_requests=10, max_bytes=100)
    with admission.admit(60):
        with pytest.raises(Overloaded), admission.admit(41):
            pass
        with admission.admit(40):
            pass
    with admission.admit(100):
        pass


def test_many_small_ones_are_bounded_too() -> None:
    admission = Admission(max_requests=1, max_bytes=100)
    with admission.admit(1), pytest.raises(Overloaded), admission.admit(1):
        pass


def test_a_failure_gives_its_room_back() -> None:
    admission = Admission(max_requests=1, max_bytes=100)
    with pytest.raises(ZeroDivisionError), admission.admit(100):
        raise ZeroDivisionError
    with admission.admit(100):
        pass


def test_the_refusal_says_when_to_come_back() -> None:
    assert Overloaded().retry_after_s > 0
