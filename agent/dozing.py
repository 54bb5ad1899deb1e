"""Waiting for what has to be looked at now and then, at the least cost. The edge: a thread that looks by the clock.

Whoever dozes is woken only where there is something to do. A second in which nothing is takes a thread that sleeps,
looks and sleeps again: a fraction of what the event loop takes to come round, with its timers, its handles and epoll.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared import clock

GRAIN_S = 1e-3
"""The thread is not woken for so little."""


@dataclass(slots=True, eq=False)
class Doze:
    """One that waits."""

    is_due: Callable[[], bool]
    next_at_s: Callable[[float], float]
    woken: "asyncio.Future[None]"
    at_s: float
    """When to look next, monotonic."""

    def look(self, now_s: float) -> bool:
        """Look, in the sentry's thread; answers whether it is over."""
        try:
            if not self.is_due():
                self.at_s = self.next_at_s(now_s)
                return False
        except Exception as error:  # noqa: BLE001 - handed to who waits
            self._wake(error)
        else:
            self._wake(None)
        return True

    def _wake(self, fault: Exception | None) -> None:
        self.woken.get_loop().call_soon_threadsafe(self._settle, fault)

    def _settle(self, fault: Exception | None) -> None:
        if self.woken.done():
            return  # Cancelled meanwhile.
        if fault:
            self.woken.set_exception(fault)
        else:
            self.woken.set_result(None)


@dataclass(slots=True)
class Sentry:
    """Looks for all who doze, one after the other."""

    _dozes: list[Doze] = field(default_factory=list)
    _looking: threading.Lock = field(default_factory=threading.Lock)
    """Held while anybody is looked for, and to change who is."""
    _alarm: threading.Lock = field(default_factory=threading.Lock)
    """Given free to wake the thread before its time."""
    _sleeps_until_s: float = 0.0
    _is_over: bool = False

    async def until(self, is_due: Callable[[], bool], next_at_s: Callable[[float], float]) -> None:
        """Ask `is_due` at the times that `next_at_s` makes of the time it is, monotonic; return once it is due.

        Both are asked in the sentry's thread, and not any more once this has returned or was cancelled. What either
        raises is raised here.
        """
        at_s = next_at_s(clock.monotonic_s())
        doze = Doze(is_due, next_at_s, asyncio.get_running_loop().create_future(), at_s)
        with self._looking:
            self._dozes.append(doze)
            if at_s < self._sleeps_until_s - GRAIN_S:
                self._wake_up()
        try:
            await doze.woken
        finally:
            with self._looking:
                if doze in self._dozes:
                    self._dozes.remove(doze)

    def look_forever(self) -> None:
        """Until `end`."""
        self._alarm.acquire()
        while not self._is_over:
            with self._looking:
                self._look(clock.monotonic_s())
            self._alarm.acquire(timeout=max(0.0, self._sleeps_until_s - clock.monotonic_s()))

    def _look(self, now_s: float) -> None:
        next_s = threading.TIMEOUT_MAX / 2
        for doze in self._dozes[:]:
            if doze.at_s <= now_s and doze.look(now_s):
                self._dozes.remove(doze)
            elif doze.at_s < next_s:
                next_s = doze.at_s
        self._sleeps_until_s = next_s

    def end(self) -> None:
        """Have the thread end."""
        with self._looking:
            self._is_over = True
            self._wake_up()

    def _wake_up(self) -> None:
        if self._alarm.locked():
            self._alarm.release()


@asynccontextmanager
async def sentry() -> AsyncIterator[Sentry]:
    """One, for as long as the block is open."""
    made = Sentry()
    thread = threading.Thread(target=made.look_forever, name="sentry", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.end()
        thread.join()
