"""A story told to rules before they watch anything: readings over time in, what people would hear out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.alerts.playing import Report, play
from collector.alerts.rules import Rule
from collector.alerts.watch import Watch
from collector.alerts.where import Place
from shared.addresses import parse_endpoint, parse_ip
from shared.model import Kind, Namespace, Pool, Reading, Snapshot
from shared.ports import PortRange
from shared.settings import InvalidValue, nearest
from shared.tcp import State

RANGE = PortRange(32_768, 60_999)
EVERY_MS = 10_000
KINDS = tuple(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What one host reported `at_s` seconds into the story; several of the same instant and host are one report."""

    at_s: float
    host: str = "lb1"
    role: str = ""
    held: int = 0
    capacity: int = 28_232
    kind: str = "connect"
    local: str = "10.0.0.1"
    peer: str = "10.0.0.2:80"
    failures: int = 0
    knee: bool | None = None
    failure: str | None = None
    """That it could not sample, and why."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidValue(
                "kind", f"one of {', '.join(KINDS)} is needed, not {self.kind!r}{nearest(self.kind, KINDS)}"
            )
        if not 0 <= self.held <= self.capacity:
            raise InvalidValue("held", "need 0 <= held <= capacity")

    @property
    def reading(self) -> Reading:
        """As an agent would have sent it."""
        peer, port = parse_endpoint(self.peer) if self.kind == Kind.CONNECT else (b"", 0)
        pool = Pool("host", Kind(self.kind), parse_ip(self.local), peer, port)
        left = self.capacity - self.held
        states = {State.ESTABLISHED: self.held}
        return Reading(pool, self.held, self.capacity, left, left, states, self.failures, "", self.knee)


@dataclass(frozen=True, slots=True)
class Heard:
    """What people hear, and when."""

    at_s: float
    state: str
    rule: str
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A story: its beats in order, until when time goes on, and what should be heard."""

    beat: tuple[Beat, ...]
    until_s: float = 0.0
    heard: tuple[Heard, ...] = ()


def rehearse(rules: Sequence[Rule], story: Rehearsal) -> list[Heard]:
    """Play it, second by second, from the first beat until the last, or until `until_s`."""
    end_s = max([story.until_s, *(beat.at_s for beat in story.beat)])
    moments = sorted({*(float(second) for second in range(int(end_s) + 1)), *(beat.at_s for beat in story.beat)})
    told = play(Watch(rules, ()), _reports(story.beat), [_ms(at_s) for at_s in moments])
    return [
        Heard(at_ms / 1000, one.transition.told.value, one.case.rule, str(one.case.subject))
        for at_ms, one in told
        if one.transition and one.transition.told
    ]


def _ms(at_s: float) -> int:
    return round(at_s * 1000)


def _reports(beats: Sequence[Beat]) -> list[Report]:
    """In order of time; of one instant by host, in the order the story names them."""
    hosts = {host: number for number, host in enumerate(dict.fromkeys(beat.host for beat in beats))}
    together: dict[tuple[int, str], list[Beat]] = {}
    for beat in beats:
        together.setdefault((_ms(beat.at_s), beat.host), []).append(beat)
    return [
        _report(at_ms, hosts[host], together[at_ms, host])
        for at_ms, host in sorted(together, key=lambda one: (one[0], hosts[one[1]]))
    ]


def _report(at_ms: int, host_id: int, beats: Sequence[Beat]) -> Report:
    first, snapshot = beats[0], _snapshot(beats, at_ms)
    place = Place(host=first.host, role=first.role, labels={"role": first.role})
    return Report(at_ms=at_ms, place=place, host_id=host_id, interval_ms=EVERY_MS, read=lambda _is_whole: snapshot)


def _snapshot(beats: Sequence[Beat], now_ms: int) -> Snapshot:
    first = beats[0]
    namespace = Namespace(name="host", inode=0, port_range=RANGE, reserved=0, blocked=0)
    return Snapshot(
        host=first.host,
        boot_id="story",
        seq=now_ms,
        taken_at_ms=now_ms,
        agent_version="story",
        interval_ms=EVERY_MS,
        labels={"role": first.role} if first.role else {},
        namespaces=() if first.failure else (namespace,),
        readings=() if first.failure else tuple(beat.reading for beat in beats),
        failure=first.failure,
    )
