"""Sessions of the page."""

from collector.access.sessions import LIFE_MS, MAX_SESSIONS, Sessions
from tests.builders import NOON_MS


def test_a_cookie_stands_for_the_token_it_was_opened_with() -> None:
    sessions = Sessions()
    cookie = sessions.open("t1", NOON_MS)
    assert sessions.token_id(cookie, NOON_MS + 1) == "t1"
    assert sessions.token_id("made up", NOON_MS) is None


def test_a_session_ends() -> None:
    sessions = Sessions()
    cookie = sessions.open("t1", NOON_MS)
    assert sessions.token_id(cookie, NOON_MS + LIFE_MS - 1) == "t1"
    assert sessions.token_id(cookie, NOON_MS + LIFE_MS) is None


def test_too_many_sessions_close_the_oldest() -> None:
    """Memory stays flat however often somebody logs in."""
    sessions = Sessions()
    cookies = [sessions.open(f"t{number}", NOON_MS) for number in range(MAX_SESSIONS + 1)]
    assert sessions.token_id(cookies[0], NOON_MS) is None
    assert sessions.token_id(cookies[1], NOON_MS) == "t1"


def test_a_session_that_is_closed_stands_for_nothing() -> None:
    sessions = Sessions()
    cookie = sessions.open("t1", 0)
    sessions.close(cookie)
    sessions.close("never was")
    assert sessions.token_id(cookie, 0) is None
