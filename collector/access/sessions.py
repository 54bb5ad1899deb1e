"""Sessions of the page: an opaque cookie for a token that was shown once. In memory: a restart asks to log in again."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

LIFE_MS = 12 * 3_600_000
"""A working day; whoever has the page on a wall logs in with a link."""
MAX_SESSIONS = 1_000


@dataclass(frozen=True, slots=True)
class _Session:
    token_id: str
    ends_ms: int


class Sessions:
    """Which cookie stands for which token. The oldest give way when there are too many."""

    def __init__(self) -> None:
        self._by_cookie: OrderedDict[str, _Session] = OrderedDict()

    def open(self, token_id: str, now_ms: int) -> str:
        """A new cookie for this token."""
        while len(self._by_cookie) >= MAX_SESSIONS:
            self._by_cookie.popitem(last=False)
        cookie = secrets.token_urlsafe(32)
        self._by_cookie[cookie] = _Session(token_id, now_ms + LIFE_MS)
        return cookie

    def token_id(self, cookie: str, now_ms: int) -> str | None:
        """The token this cookie stands for, if it still does."""
        session = self._by_cookie.get(cookie)
        if session is None or now_ms >= session.ends_ms:
            self._by_cookie.pop(cookie, None)
            return None
        return session.token_id

    def close(self, cookie: str) -> None:
        """End it; nothing happens where there is none."""
        self._by_cookie.pop(cookie, None)
