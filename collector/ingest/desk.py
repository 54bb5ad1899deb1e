"""Where pushes that collector.ingest.front read are judged: a known token, room, a body that is what it says."""

import asyncio
import json
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, NotRequired, TypedDict

from collector.access.doorkeeper import Doorkeeper
from collector.access.token import Grant
from collector.fleet.host import Reported
from collector.ingest import body
from collector.ingest.admission import Admission
from collector.ingest.intake import Intake, Outcome, Waiting
from collector.ingest.judging import arrival_of, require_push
from collector.ingest.request import PushHead
from collector.metrics import Metrics
from collector.problem import CONTENT_TYPE, problem_of
from collector.rollout.releases import Releases
from shared.clock import monotonic_s
from shared.limits import MAX_BODY_BYTES
from shared.logs import fields

if TYPE_CHECKING:
    from collector.ingest.front import Front

DECODE_ASIDE_BYTES = 64 * 1024
"""Larger bodies are decoded in a thread, so that one fat report does not hold up a thousand thin ones."""
INFLATE_ASIDE_BYTES = 8 * 1024
"""As DECODE_ASIDE_BYTES, before inflating."""
ROUTE = "/v1/snapshots"
log = logging.getLogger(__name__)


Whose = tuple[str, Reported]
"""The id of the token that a push came with, and what it brought."""


class Answer(NamedTuple):
    """What a push is answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Taken(TypedDict):
    """A snapshot was kept, now or before (`duplicate`)."""

    accepted: bool
    duplicate: bool
    config_revision: int
    renew_token: NotRequired[bool]


def document_of(*, is_duplicate: bool, config_revision: int, renew_token: bool = False) -> Taken:
    """What is told of a snapshot that was kept."""
    told: Taken = {"accepted": True, "duplicate": is_duplicate, "config_revision": config_revision}
    if renew_token:
        told["renew_token"] = True
    return told


_JSON = (("Content-Type", "application/json; charset=utf-8"),)


@lru_cache(maxsize=256)
def _taken(*, is_duplicate: bool, config_revision: int, renew_token: bool) -> Answer:
    told = document_of(is_duplicate=is_duplicate, config_revision=config_revision, renew_token=renew_token)
    return Answer(202, _JSON, json.dumps(told).encode())


class Desk:
    """Judges pushes, and answers each by a call. `fronts` are the connections it serves."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        *,
        intake: Intake,
        admission: Admission,
        doorkeeper: Doorkeeper,
        metrics: Metrics,
        clock: Callable[[], int],
        releases: Releases | None = None,
    ) -> None:
        self._intake, self._admission, self._doorkeeper = intake, admission, doorkeeper
        self._metrics, self._clock, self._releases = metrics, clock, releases or Releases()
        self._aside: set[asyncio.Task[None]] = set()
        self.fronts: set[Front] = set()

    def admit(self, head: PushHead) -> Answer | None:
        """Hold room for a push until it is answered or given up. Answers a refusal where there is none."""
        try:
            self._admission.enter(_room_for(head))
        except Exception as error:  # noqa: BLE001 - problem_of is loud about what nobody foresaw
            return self._refusal(error)
        return None

    def give_up(self, head: PushHead) -> None:
        """Its connection ended before its body did."""
        self._admission.leave(_room_for(head))

    def take(self, head: PushHead, data: bytes, answer: Callable[[Answer], None]) -> None:
        """Judge a push and keep it; `answer` is called once, when it is durable or refused."""
        grant = self._doorkeeper.known(head.token_hash)
        is_large = len(data) > (INFLATE_ASIDE_BYTES if head.is_gzip else DECODE_ASIDE_BYTES)
        if grant and not is_large:
            self._judge(head, grant, data, answer)
            return
        task = asyncio.create_task(self._take_aside(head, grant, data, answer))
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def close(self, grace_s: float) -> None:
        """End every connection: what is under way may take this long to be answered, and is given up then."""
        for front in list(self.fronts):
            front.close()
        if self._aside:
            _, late = await asyncio.wait(self._aside, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        deadline_s = monotonic_s() + grace_s
        while self.fronts and monotonic_s() < deadline_s:  # noqa: ASYNC110 - the last second of a process
            await asyncio.sleep(0.01)

    def _judge(self, head: PushHead, grant: Grant, data: bytes, answer: Callable[[Answer], None]) -> None:
        try:
            require_push(grant)
            whole = body.inflate(data) if head.is_gzip else data
            arrival = arrival_of(whole, grant, self._clock())
        except Exception as error:  # noqa: BLE001 - as above
            self._settle(head, None, len(data), error, answer)
            return
        whose = (grant.id, arrival.snapshot)
        settle = lambda outcome: self._settle(head, whose, len(whole), outcome, answer)  # noqa: E731 - carries its push
        self._intake.submit(Waiting(arrival, grant.id, settle))

    async def _take_aside(
        self, head: PushHead, grant: Grant | None, data: bytes, answer: Callable[[Answer], None]
    ) -> None:
        """As `_judge`, where a thread or the database is needed first."""
        try:
            grant = grant or await self._doorkeeper.require(head.token)
            require_push(grant)
            whole = await asyncio.to_thread(body.inflate, data) if head.is_gzip else data
            arrival = await asyncio.to_thread(arrival_of, whole, grant, self._clock())
            outcome: Outcome = await self._intake.take(arrival, grant.id)
            whose = (grant.id, arrival.snapshot)
        except Exception as error:  # noqa: BLE001 - as above
            outcome, whole, whose = error, data, None
        self._settle(head, whose, len(whole), outcome, answer)

    def _settle(
        self, head: PushHead, whose: Whose | None, size: int, outcome: Outcome, answer: Callable[[Answer], None]
    ) -> None:
        self._admission.leave(_room_for(head))
        if isinstance(outcome, bool) and whose:
            self._metrics.count_snapshot("duplicate" if outcome else "accepted", size)
            self._metrics.count_request(ROUTE, "POST", 202)
            token_id, snapshot = whose
            must_renew = token_id in self._intake.renewals
            revision = self._releases.revision_of(snapshot)
            answer(_taken(is_duplicate=outcome, config_revision=revision, renew_token=must_renew))
        elif isinstance(outcome, Exception):
            answer(self._refusal(outcome))

    def _refusal(self, error: Exception) -> Answer:
        problem = problem_of(error)
        if problem.status == 500:  # noqa: PLR2004 - what nobody foresaw
            log.error("unforeseen", exc_info=error, extra=fields(path=ROUTE))
        self._metrics.count_request(ROUTE, "POST", problem.status)
        log.info("answered", extra=fields(method="POST", path=ROUTE, status=problem.status))
        headers = (("Content-Type", CONTENT_TYPE), *problem.headers.items())
        return Answer(problem.status, headers, json.dumps(problem.document()).encode())


def _room_for(head: PushHead) -> int:
    return MAX_BODY_BYTES if head.is_gzip else head.length
