"""The tables, as SQLAlchemy Core. migrations/ makes them; a test holds the two against each other."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

RowId = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; on SQLite spelled INTEGER, the only type that aliases the rowid."""

token = Table(
    "token",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("scope", String(8), nullable=False),
    Column("host", Text, comment="the only host a push token may speak for; null: any"),
    Column("digest", LargeBinary(32), nullable=False, comment="sha256 of the secret part"),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("expires_ms", BigInteger, comment="null: never"),
    Column("renew_ms", BigInteger, comment="from when on its agent is asked to exchange it"),
    Column("uses_left", Integer, comment="of a join token"),
    Column("role", Text, comment="the only role a join token lets in; of a push token: as what its host was let in"),
    Column("life_ms", BigInteger, comment="of the push tokens that come of it; null: for good"),
    Index(None, "host"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False, comment="a user at a terminal, or a token by its id"),
    Column("action", String(32), nullable=False),
    Column("host", Text, comment="whom it is about; null: nobody, or all"),
    Column("detail", JSON, nullable=False, comment="never a secret"),
    Index(None, "at_ms"),
    Index(None, "host"),
    sqlite_autoincrement=True,
)

host = Table(
    "host",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("received", BigInteger, nullable=False, comment="distinct snapshots"),
    Column("duplicates", BigInteger, nullable=False),
    Column("missing", BigInteger, nullable=False, comment="gaps in seq within each boot"),
    Column("last_seen_ms", BigInteger, nullable=False, comment="receive time of anything"),
    Column("boot_id", Text, nullable=False, comment="this and the following: of the newest snapshot"),
    Column("last_seq", BigInteger, nullable=False),
    Column("latest_hot_id", BigInteger, nullable=False),
    Column("latest_good_hot_id", BigInteger, nullable=False, comment="the newest that is not a failure"),
    Column("latest_received_ms", BigInteger, nullable=False),
    Column("latest_taken_ms", BigInteger, nullable=False, comment="never after latest_received_ms"),
    Column("skew_ms", BigInteger, nullable=False, comment="the host's clock minus ours, transit included"),
    Column("interval_ms", BigInteger, nullable=False),
    Column("agent_version", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("failure", Text),
    Column("state", JSON, comment="shared.model.AgentState but for cpu_ms; null: its agent does not tell it"),
    Column("cpu_ms", BigInteger, nullable=False, server_default="0", comment="of the agent's process since it started"),
    Column("machine_id", Text, nullable=False, server_default="", comment="hashed by its agent; empty: not told"),
    Column("machine_since_ms", BigInteger, nullable=False, server_default="0"),
    Column("contested_ms", BigInteger, nullable=False, server_default="0", comment="two machines by turns; 0: never"),
    Column("forgotten_ms", BigInteger, comment="when it was said to be no more; null: it is"),
)

rollout = Table(
    "rollout",
    metadata,
    Column("id", RowId, primary_key=True, comment="the revision that it brings"),
    Column("created_ms", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("step", Integer, nullable=False, comment="0: canaries; n: the n-th percentage"),
    Column("step_ms", BigInteger, nullable=False, comment="since when"),
    Column("why", Text, nullable=False, comment="of a halt"),
    Column("plan", JSON, nullable=False, comment="collector.rollout.plan: author, reason, where, settings, …"),
    Column("baseline", JSON, nullable=False, comment="by host: how it was when it was given the revision"),
    Index(None, "state"),
    sqlite_autoincrement=True,
)

boot = Table(
    "boot",
    metadata,
    Column("host_id", ForeignKey("host.id"), primary_key=True),
    Column("boot_id", Text, primary_key=True),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
)

hot = Table(
    "hot",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("taken_ms", BigInteger, nullable=False, comment="by the host's clock, never after received_ms"),
    Column("host_id", ForeignKey("host.id"), nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("is_newest", Boolean, nullable=False, comment="nothing newer of this host had been received"),
    Column("body", LargeBinary, nullable=False, comment="as received: shared.wire"),
    Column("is_settled", Boolean, nullable=False, server_default=false(), comment="a chunk holds it, or never can"),
    UniqueConstraint("host_id", "boot_id", "seq"),
    Index(None, "host_id", "taken_ms"),
    Index(None, "received_ms"),
    # An id is a place in the log and the evaluation's cursor: SQLite must never hand one out twice.
    sqlite_autoincrement=True,
)

rule = Table(
    "rule",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("document", JSON, nullable=False, comment="collector.alerts.rules.Rule, as it was given"),
    Column("author", Text, nullable=False, comment="a token by its id"),
    Column("changed_ms", BigInteger, nullable=False),
)

leadership = Table(
    "leadership",
    metadata,
    Column("id", Integer, primary_key=True, comment="there is one row"),
    Column("epoch", BigInteger, nullable=False, comment="the number of the present term"),
    Column("holder", Text, nullable=False, comment="who leads, for people"),
    Column("beats", BigInteger, nullable=False, comment="counted up while its leader is alive"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("hot_id", BigInteger, nullable=False, comment="everything up to here is done"),
    Column("round", BigInteger, nullable=False, server_default="0", comment="rounds written down; fences them"),
)

alert = Table(
    "alert",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(32), nullable=False, unique=True, comment="of the rule and its subject, for good"),
    Column("rule", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("scope", String(8), nullable=False, comment="what the subject is: pool, host, peer, …"),
    Column("name", Text, nullable=False, comment="of the host, peer, role or channel"),
    Column("role", Text, nullable=False, comment="of its host, when last seen"),
    Column("netns", Text, comment="this and the following: of a pool"),
    Column("kind", String(16)),
    Column("local", LargeBinary(16)),
    Column("peer", LargeBinary(16)),
    Column("peer_port", Integer),
    Column("state", String(8), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("hot_since_ms", BigInteger),
    Column("fired_ms", BigInteger),
    Column("calm_since_ms", BigInteger),
    Column("flaps", Integer, nullable=False),
    Column("last_fired_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False, comment="when what follows was last known"),
    Column("occupancy", Float, nullable=False, comment="of a pool; 0 of anything else"),
    Column("seen", JSON, nullable=False, comment="the reading, or the facts"),
    Index(None, "state"),
    Index(None, "name"),
    sqlite_autoincrement=True,
)

transition = Table(
    "transition",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("before", String(8), nullable=False),
    Column("after", String(8), nullable=False),
    Column("held", Integer, comment="of a pool"),
    Column("capacity", Integer, comment="of a pool"),
    Index(None, "alert_id"),
    Index(None, "at_ms"),
)

incident = Table(
    "incident",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(32), nullable=False, unique=True, comment="the same from its first notice to its last"),
    Column("severity", String(16), nullable=False),
    Column("cause", Text, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("told_ms", BigInteger, comment="when people were last told; null: hidden so far"),
    Column("tellings", Integer, nullable=False),
    Column("told_hosts", Integer, nullable=False),
    Column("channels", JSON, nullable=False, comment="who was told, and will be told of the end"),
    Column("lead", String(32), nullable=False, comment="key of the alert that stood for all when last told"),
    Column("closed_ms", BigInteger),
    Index(None, "closed_ms"),
)

silence = Table(
    "silence",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("matchers", Text, nullable=False, comment="as JSON: where, rule, severity"),
    Index(None, "ends_ms"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(32), nullable=False, comment="names the notice to whoever receives it twice"),
    Column("channel", Text, nullable=False),
    Column("thread", String(32), nullable=False, comment="notices of one thread are told in their order"),
    Column("document", JSON, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_ms", BigInteger, nullable=False),
    Column("outcome", String(16), comment="delivered or given_up; null: still owed"),
    Column("closed_ms", BigInteger),
    UniqueConstraint("key", "channel"),
    Index(None, "channel", "outcome", "next_attempt_ms"),
    Index(None, "thread"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("outbox_id", ForeignKey("outbox.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "outbox_id"),
)

pool = Table(
    "pool",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("host_id", ForeignKey("host.id"), nullable=False),
    Column("netns", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("local", LargeBinary(16), nullable=False),
    Column("peer", LargeBinary(16), nullable=False),
    Column("peer_port", Integer, nullable=False),
    Column("last_ms", BigInteger, comment="no chunk that names it ends later, to the day; null: not known yet"),
    UniqueConstraint("host_id", "netns", "kind", "local", "peer", "peer_port", name="uq_pool_identity"),
    Index(None, "peer", "peer_port"),
    Index(None, "last_ms"),
    sqlite_autoincrement=True,
)


def _chunks(name: str) -> Table:
    """One tier: of each host a chunk a span of time. PostgreSQL drops it by the partition."""
    return Table(
        name,
        metadata,
        Column("host_id", BigInteger, primary_key=True, autoincrement=False),
        Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
        Column("body", LargeBinary, nullable=False, comment="collector.history.codec"),
        Index(None, "from_ms"),
        postgresql_partition_by="RANGE (from_ms)",
    )


chunk_raw = _chunks("chunk_raw")
chunk_minute = _chunks("chunk_minute")
chunk_hour = _chunks("chunk_hour")

roll_due = Table(
    "roll_due",
    metadata,
    Column("tier", SmallInteger, primary_key=True, autoincrement=False, comment="whose chunk is to be made anew"),
    Column("host_id", BigInteger, primary_key=True, autoincrement=False),
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("due_ms", BigInteger, nullable=False, comment="not before"),
    Index(None, "due_ms"),
)

peak_hour = Table(
    "peak_hour",
    metadata,
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False, comment="collector.history.fleet: the peaks of a block of pools"),
)

fleet_hour = Table(
    "fleet_hour",
    metadata,
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("total", LargeBinary, nullable=False, comment="pools by occupancy, summed over the minutes"),
    Column("minutes", LargeBinary, nullable=False, comment="the same for each minute"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("tier", SmallInteger, nullable=False),
    Column("host_id", BigInteger, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("found_ms", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="as it was found"),
    Index(None, "host_id", "from_ms"),
)
