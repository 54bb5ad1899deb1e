"""A database as an earlier version left it: its schema, made by the migrations up to then, and rows of every table.

A row names every column that its table ever had; what is written are those that the revision's table has, as the
program of that revision named them, and no others.
"""

from collections.abc import Iterator
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, insert, text, update

from collector.alerts.incidents import Incident
from collector.alerts.subject import alert_key, of_pool
from collector.history import codec, fleet, rollup
from collector.history.chunk import Chunk
from collector.history.tiers import DAY_MS, HOUR, HOUR_MS, MINUTE, MINUTE_MS, RAW, Tier
from collector.storage import schema
from shared import wire
from shared.model import Snapshot
from shared.token import digest_of
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.columns import gathered

POOL = a_pool()
HISTORY_MS = NOON_MS - HOUR_MS
"""When what chunks hold was taken; the log goes on at noon."""
SECRET = "s" * 43
HELD = 290
WHERE = '{"host": ["lb*"], "role": [], "netns": [], "labels": {}, "kind": [], "peer": []}'
MATCHERS = f'{{"where": {WHERE}, "rule": ["calm"], "severity": []}}'
"""As a silence keeps them."""
Row = dict[str, Any]


def revisions(first: str = "") -> list[str]:
    """Every revision but the newest, in order; from `first` on."""
    scripts = ScriptDirectory.from_config(schema._config())
    found = sorted(script.revision for script in scripts.walk_revisions())
    return [one for one in found[:-1] if one >= first]


def made(connection: Connection, revision: str) -> MetaData:
    """Make the tables of that revision in an empty database, fill them, and answer them as that program knew them."""
    command.upgrade(schema._config(connection), revision)
    known = MetaData()
    known.reflect(connection, resolve_fks=False)
    write(connection, known, 1)
    return known


def upgraded(connection: Connection) -> None:
    """Bring it to the present schema."""
    command.upgrade(schema._config(connection), "head")


def write(connection: Connection, known: MetaData, host: int) -> None:
    """Rows of one more host and all that belongs to it, with the columns of these tables; the log and cursors go on."""
    for name, row in rows(host):
        if name in known.tables:
            _put(connection, known.tables[name], row)
    cursors = known.tables["cursor"]
    connection.execute(update(cursors).values(hot_id=2 * host))
    leadership = known.tables.get("leadership")
    if leadership is not None:
        connection.execute(update(leadership).values(epoch=4, holder="lb 1", beats=9))


def _put(connection: Connection, table: Table, row: Row) -> None:
    if connection.dialect.name == "postgresql" and table.name.startswith("chunk_"):
        _make_partition(connection, table.name, row["from_ms"])
    connection.execute(insert(table), [{name: value for name, value in row.items() if name in table.columns}])
    is_counted = "id" in table.columns and isinstance(row.get("id"), int)
    if connection.dialect.name == "postgresql" and is_counted:  # Ids that are given do not move the sequence on.
        sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
        connection.execute(text(f"SELECT setval({sequence}, {row['id']}) WHERE {sequence} IS NOT NULL"))


def _make_partition(connection: Connection, name: str, from_ms: int) -> None:
    span_ms = 30 * DAY_MS if name == "chunk_hour" else DAY_MS
    start_ms = from_ms - from_ms % span_ms
    bounds = f"FOR VALUES FROM ({start_ms}) TO ({start_ms + span_ms})"
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {name}_{start_ms} PARTITION OF {name} {bounds}"))


# --- what stands in it -----------------------------------------------------------------------------------------------


def name_of(host: int) -> str:
    return f"lb{host}"


def number_of(host: int) -> int:
    """Of its one pool."""
    return 6 + host


def logged(host: int) -> list[Snapshot]:
    """What the log holds: the second is the newest."""
    name = name_of(host)
    return [a_snapshot(a_reading(HELD), host=name, seq=seq, taken_at_ms=NOON_MS + seq) for seq in (1, 2)]


def history(host: int) -> dict[Tier, Chunk]:
    """An hour before: three snapshots, as raw chunk, by the minute, by the hour."""
    story = [
        a_snapshot(
            a_reading(held), host=name_of(host), boot_id="boot-0", seq=held, taken_at_ms=HISTORY_MS + held * 1000
        )
        for held in (10, 20, 70)
    ]
    raw = gathered(*story, ids={POOL: number_of(host)})
    minute = rollup.rolled([raw], MINUTE_MS, {number_of(host): POOL})
    return {RAW: raw, MINUTE: minute, HOUR: rollup.rolled_again([minute], HOUR_MS)}


def incident(host: int) -> Incident:
    """What people were told of."""
    return Incident(
        severity="page",
        cause=f"host {name_of(host)}, backend 127.0.0.1:9001",
        opened_ms=NOON_MS + 1,
        told_ms=NOON_MS + 1,
        tellings=1,
        told_hosts=1,
        channels=("log",),
        lead=key_of(host),
    )


def key_of(host: int) -> str:
    """Of the alert that fires."""
    return alert_key("hot", of_pool(name_of(host), POOL))


def rows(host: int) -> Iterator[tuple[str, Row]]:
    """(table, row), in an order that satisfies every reference."""
    name, place = name_of(host), {"netns": "host", "kind": "connect", "local": POOL.local, "peer": POOL.peer}
    pool = {**place, "peer_port": POOL.peer_port}
    yield "host", _host(host)
    for boot, seq in (("boot-0", 70), ("boot-1", 2)):
        yield "boot", {"host_id": host, "boot_id": boot, "first_seq": 1, "last_seq": seq, "received_ms": NOON_MS}
    yield "token", _token(host)
    for number, snapshot in enumerate(logged(host)):
        yield "hot", _hot(2 * host - 1 + number, host, snapshot)
    told = {"id": host, "author": "ops", "reason": "upgrade", "created_ms": NOON_MS}
    yield "silence", told | {"starts_ms": NOON_MS, "ends_ms": NOON_MS + DAY_MS, "matchers": MATCHERS}
    yield "alert", _alert(host, pool)
    moved = {"before": "ok", "after": "firing", "held": HELD, "capacity": 300}
    yield "transition", {"id": host, "alert_id": host, "at_ms": NOON_MS + 1} | moved
    one = incident(host)
    kept = {field: getattr(one, field) for field in one.__slots__} | {"channels": list(one.channels)}
    yield "incident", kept | {"id": host, "key": one.key, "closed_ms": None}
    yield "outbox", _owed(host)
    yield "attempt", {"id": host, "outbox_id": host, "at_ms": NOON_MS + 2, "succeeded": False, "detail": "refused"}
    yield "pool", {"id": number_of(host), "host_id": host, "last_ms": HISTORY_MS, **pool}
    yield from _history(host)
    deed = {"actor": "root", "action": "token.create", "host": name, "detail": {"id": "t"}}
    yield "audit", {"id": host, "at_ms": NOON_MS, **deed}
    plan = {"author": "ops", "reason": "r", "settings": {"interval_s": 5.0}, "where": {}, "canaries": [name]}
    stands = {"state": "aborted", "step": 0, "step_ms": NOON_MS, "why": ""}
    yield "rollout", {"id": host, "created_ms": NOON_MS, "plan": plan, "baseline": {}, **stands}
    rule = {"name": f"mine-{name}", "severity": "plan", "raise_at": 0.99}
    yield "rule", {"name": rule["name"], "document": rule, "author": "token t", "changed_ms": NOON_MS}


def _host(host: int) -> Row:
    counts = {"received": 5, "duplicates": 1, "missing": 2, "last_seq": 2}
    times = dict.fromkeys(("last_seen_ms", "latest_received_ms", "latest_taken_ms"), NOON_MS + 2)
    newest = {"boot_id": "boot-1", "latest_hot_id": 2 * host, "latest_good_hot_id": 2 * host, "skew_ms": 0}
    said = {"interval_ms": 10_000, "agent_version": "0.1.0", "labels": {"role": "edge"}, "failure": None}
    later = {"state": None, "cpu_ms": 7, "machine_id": "m" * 32, "machine_since_ms": NOON_MS, "contested_ms": 0}
    return {"id": host, "name": name_of(host), "forgotten_ms": None, **counts, **times, **newest, **said, **later}


def _token(host: int) -> Row:
    later = dict.fromkeys(("expires_ms", "renew_ms", "uses_left", "role", "life_ms"))
    made = {"created_ms": NOON_MS, "revoked_ms": None, "digest": digest_of(SECRET)}
    return {"id": f"{host:012}", "scope": "push", "host": name_of(host), **made, **later}


def _hot(number: int, host: int, snapshot: Snapshot) -> Row:
    times = {"received_ms": snapshot.taken_at_ms, "taken_ms": snapshot.taken_at_ms}
    which = {"id": number, "host_id": host, "boot_id": snapshot.boot_id, "seq": snapshot.seq}
    return {**which, **times, "is_newest": True, "body": wire.encode(snapshot), "is_settled": False}


def _alert(host: int, pool: Row) -> Row:
    counts = {"held": HELD, "capacity": 300, "headroom_min": 10, "headroom_max": 10}
    states = {"ESTABLISHED": HELD}
    seen = {"facts": {}, "counts": [HELD, 300, 10, 10, 0], "states": states, "owner": "", "knee": None}
    stands = {"state": "firing", "since_ms": NOON_MS + 1, "hot_since_ms": None, "fired_ms": NOON_MS + 1}
    since = {"calm_since_ms": None, "flaps": 0, "last_fired_ms": NOON_MS + 1, "at_ms": NOON_MS + 2}
    about = {"scope": "pool", "name": name_of(host), "role": "edge", "occupancy": HELD / 300}
    known = {"id": host, "key": key_of(host), "rule": "hot", "severity": "page", "seen": seen | {"is_bound": False}}
    first = {"host_id": host, "states": states, "is_bound": False, **counts}
    return {**known, **about, **pool, **stands, **since, **first}


def _owed(host: int) -> Row:
    document = {"state": "firing", "rule": "hot", "summary": "it was full"}
    tries = {
        "created_ms": NOON_MS + 1,
        "attempts": 1,
        "next_attempt_ms": NOON_MS + 3,
        "outcome": None,
        "closed_ms": None,
    }
    thread = {"alert_id": host, "thread": incident(host).key}
    return {"id": host, "key": f"{host:032}", "channel": "log", "document": document, **tries, **thread}


def _history(host: int) -> Iterator[tuple[str, Row]]:
    chunks = history(host)
    for tier, chunk in chunks.items():
        key = {"host_id": host, "from_ms": tier.start_of(HISTORY_MS)}
        yield f"chunk_{tier.name}", key | {"body": codec.encode(chunk)}
    due = {"tier": MINUTE.number, "host_id": host, "from_ms": MINUTE.start_of(NOON_MS), "due_ms": NOON_MS + DAY_MS}
    yield "roll_due", due
    gone = {"tier": RAW.number, "host_id": host, "from_ms": HISTORY_MS - RAW.span_ms, "found_ms": NOON_MS}
    yield "quarantine", {"id": host, "why": "broken", "body": b"PGH1", **gone}
    # One hour a host, so that each writes a row of its own.
    hour = HISTORY_MS - (host - 1) * HOUR_MS
    [counts] = fleet.histogram(chunks[RAW]).values()
    totals = {"total": fleet.pack_counts(counts.sum(axis=0)), "minutes": fleet.pack_counts(counts)}
    yield "fleet_hour", {"from_ms": hour, **totals}
    [block] = fleet.peaks_by_hour(chunks[RAW]).values()
    yield "peak_hour", {"from_ms": hour, "block": 0, "body": fleet.pack_peaks(block)}
