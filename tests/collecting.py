"""A collector to talk to: the real application on a real socket over a real database, with a clock the test turns."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from aiohttp import ClientResponse, ClientSession
from sqlalchemy import func, select

from collector.access.token import Scope, issue
from collector.alerts.rules import Rule
from collector.compaction import Compaction
from collector.evaluation import Evaluator
from collector.fleet.looks import Looks
from collector.history.tiers import Keep
from collector.http import build_app
from collector.ingest.admission import Admission
from collector.ingest.intake import Intake
from collector.investigation import Investigation
from collector.loops import background
from collector.metrics import Metrics
from collector.run import listening, serving
from collector.services import Services
from collector.storage import cursors, tables, tokens
from collector.storage.database import Database
from shared import wire
from shared.model import Snapshot
from tests.builders import NOON_MS

AT_ONCE = (
    Rule(name="warm", severity="plan", raise_at=0.70, clear_at=0.60),
    Rule(name="hot", severity="page", raise_at=0.85, clear_at=0.75),
)


@dataclass(slots=True)
class Clock:
    """Stands still until it is turned."""

    now_ms: int = NOON_MS

    def __call__(self) -> int:
        return self.now_ms

    def turn(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)


@dataclass(slots=True, kw_only=True)
class Client:
    """Talks to a collector as agents and people do: `tokens` by scope."""

    url: str
    session: ClientSession
    tokens: dict[str, str] = field(default_factory=dict)

    async def post(self, body: bytes, token: str | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a push."""
        auth = {"Authorization": f"Bearer {token or self.tokens['push']}", "Content-Type": wire.CONTENT_TYPE}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = BytesIO(body)
        async with self.session.post(f"{self.url}/v1/snapshots", data=data, headers=auth | named) as response:
            return response.status, await response.json(content_type=None)

    async def push(self, *snapshots: Snapshot) -> None:
        """Push, and be sure that each was taken."""
        for snapshot in snapshots:
            status, answer = await self.post(wire.encode(snapshot))
            assert status == 202, answer

    async def get(self, path: str, **query: str | float) -> dict[str, Any]:
        """The JSON of a good answer."""
        async with self.asked(path, **query) as response:
            document: dict[str, Any] = await response.json()
            assert response.status == 200, document
            return document

    async def refused(self, path: str, **query: str | float) -> dict[str, Any]:
        """The problem document of a bad one."""
        async with self.asked(path, **query) as response:
            assert response.content_type == "application/problem+json"
            document: dict[str, Any] = await response.json(content_type=None)
            assert response.status == document["status"] >= 400
            return document

    @asynccontextmanager
    async def asked(self, path: str, **query: str | float) -> AsyncIterator[ClientResponse]:
        headers = {"Authorization": f"Bearer {self.tokens['read']}"}
        params = {name.rstrip("_"): str(value) for name, value in query.items()}
        async with self.session.get(f"{self.url}{path}", params=params, headers=headers) as response:
            yield response


@dataclass(slots=True, kw_only=True)
class Collecting(Client):
    """What a test does to the collector, and asks of it."""

    services: Services
    clock: Clock
    evaluator: Evaluator
    compaction: Compaction

    @property
    def db(self) -> Database:
        return self.services.db

    async def token(self, scope: Scope, host: str | None = None) -> str:
        text, grant = issue(scope, host, self.clock())
        async with self.db.writing() as connection:
            await tokens.add(connection, grant)
        return text

    async def evaluate(self) -> None:
        """Judge all that is in the log."""
        while await self.evaluator.evaluate():
            pass

    async def compact(self) -> None:
        """Settle all of the log that is closed, and make what is due of it."""
        await self.judged()
        while await self.compaction.compact():
            pass

    async def judged(self) -> None:
        """Say that every snapshot was judged: before that none leaves the log."""
        async with self.db.writing() as connection:
            newest = (await connection.execute(select(func.max(tables.hot.c.id)))).scalar_one()
            seen = await cursors.read(connection, cursors.EVALUATION)
            await cursors.advance(connection, cursors.EVALUATION, seen=seen, to=newest or 0)


@asynccontextmanager
async def collecting(
    db: Database, *, admission: Admission | None = None, channels: Sequence[str] = ("log",), is_local: bool = True
) -> AsyncIterator[Collecting]:
    """Serve over this database. Nothing is evaluated until the test says so."""
    clock, metrics = Clock(), Metrics("test")
    intake = Intake(db, metrics, on_commit=lambda: None)
    services = Services(
        db=db,
        intake=intake,
        metrics=metrics,
        clock=clock,
        admission=admission or Admission(),
        looks=Looks(slow_s=3600, patience_s=3600, scrape_patience_s=3600),
        is_local=is_local,
    )
    evaluator = Evaluator(
        db=db,
        rules=AT_ONCE,
        channels=channels,
        channels_for=lambda _severity, _rules: tuple(channels),
        metrics=metrics,
        clock=clock,
        on_notice=lambda: None,
        investigate=Investigation("http://portgauge.example"),
    )
    compaction = Compaction(db=db, keep_raw_ms=Keep().raw_ms, metrics=metrics, clock=clock)
    with listening("127.0.0.1:0") as listener:
        async with (
            background({"intake": intake.commit_forever()}),
            serving(build_app(services), listener) as url,
            ClientSession() as session,
        ):
            made = Collecting(
                url=url, services=services, clock=clock, session=session, evaluator=evaluator, compaction=compaction
            )
            made.tokens = {"push": await made.token(Scope.PUSH), "read": await made.token(Scope.READ)}
            yield made
            await asyncio.sleep(0)
