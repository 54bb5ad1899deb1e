"""The host's own token: had for a join token where there is none yet, exchanged for another when the collector asks.

The agent makes each new token itself, writes it down beside the old one (`.new`) and tells the collector only the hash
of its secret. So whatever ends in between, agent, collector or the line, is taken up where it was: the same token is
offered again, and an answer that was lost costs neither a use of the join token nor the host's voice.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from agent.errors import NotEnrolled, TokenUnreadable
from agent.identity import machine_id
from agent.line import Reply, Route, Unreachable, line
from agent.push import token_reader
from agent.tallies import Pushes
from shared import clock
from shared.logs import fields
from shared.token import digest_of, new_token, parse

log = logging.getLogger(__name__)

RENEW_AGAIN_S = 600.0
"""After an exchange that failed the next is tried: an operator has to act, mostly."""
MOST_SAID = 300


@dataclass(slots=True)
class Enrolment:
    """The tokens of one host. Called by the pushing loop alone."""

    route: Route
    token_file: Path
    join_token_file: Path | None
    host: str
    role: str
    _renew_at_s: float = 0.0

    async def ensure(self) -> None:
        """Have a token. Raises NotEnrolled, TokenUnreadable or Unreachable; nothing happens where there is one."""
        if self.join_token_file is None or self.token_file.exists():
            return
        join = token_reader(self.join_token_file)()
        new = self._pending()
        about = {"host": self.host, "role": self.role, "machine_id": machine_id(), "token": _told(new)}
        reply = await self._ask("/v1/enrol", join, about)
        if not _is_good(reply):
            raise NotEnrolled(f"the collector does not let this host in: {_said(reply, join, new)}")
        self._take_up()
        log.info("enrolled", extra=fields(host=self.host, role=self.role, token_id=_id(new)))

    async def renew(self) -> None:
        """Exchange the token for another; where that fails the old one goes on, and why is logged."""
        if clock.monotonic_s() < self._renew_at_s:
            return
        self._renew_at_s = clock.monotonic_s() + RENEW_AGAIN_S
        try:
            new = await self._exchange()
        except (NotEnrolled, TokenUnreadable, Unreachable) as error:
            log.warning("the token is not renewed, the old one holds", extra=fields(why=str(error)))
            return
        self._renew_at_s = 0.0
        log.info("the token is renewed", extra=fields(host=self.host, token_id=_id(new)))

    async def _exchange(self) -> str:
        old, new = token_reader(self.token_file)(), self._pending()
        reply = await self._ask("/v1/token", old, _told(new))
        if reply.status == HTTPStatus.UNAUTHORIZED:  # It was exchanged before, and its time is over since.
            reply = await self._ask("/v1/token", new, _told(new))
        if not _is_good(reply):
            raise NotEnrolled(_said(reply, old, new))
        self._take_up()
        return new

    @property
    def _new_file(self) -> Path:
        return self.token_file.with_name(f"{self.token_file.name}.new")

    def _pending(self) -> str:
        """The token to be offered: the one an earlier attempt left, or a fresh one, on the disk before it is used."""
        if self._new_file.exists():
            left = token_reader(self._new_file)()
            if parse(left):
                return left
        made = new_token()
        try:
            self.token_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._new_file.unlink(missing_ok=True)
            descriptor = os.open(self._new_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{made}\n")
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            why = f"{error.strerror}; the agent's user must be able to write there"
            raise TokenUnreadable(self._new_file, why) from error
        return made

    def _take_up(self) -> None:
        try:
            self._new_file.replace(self.token_file)
        except OSError as error:
            raise TokenUnreadable(self.token_file, str(error.strerror)) from error

    async def _ask(self, path: str, token: str, about: Mapping[str, object]) -> Reply:
        """Over a connection of its own: the one that is held is for snapshots."""
        async with line(self.route, Pushes()) as once:
            return await once.ask("POST", path, token, json.dumps(about).encode())


def _told(token: str) -> dict[str, object]:
    parsed = parse(token)
    assert parsed  # noqa: S101 - _pending gives no other
    return {"id": parsed[0], "digest": digest_of(parsed[1]).hex()}


def _id(token: str) -> str:
    return token.split("_")[1]


def _is_good(reply: Reply) -> bool:
    """201, from a collector: a proxy's page must not pass for its word."""
    if reply.status != HTTPStatus.CREATED:
        return False
    try:
        return isinstance(json.loads(reply.body)["id"], str)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _said(reply: Reply, *secret: str) -> str:
    """The answer for the log, without any token that came back in it."""
    text = " ".join(reply.body.decode(errors="replace").split())
    for one in secret:
        text = text.replace(one, "…")
    return f"answered {reply.status}: {text[:MOST_SAID]}"
