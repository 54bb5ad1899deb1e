"""Who is let in, how often, and what becomes of the tokens before."""

from dataclasses import replace

import pytest

from collector.access.doorkeeper import proved
from collector.access.enrolment import GRACE_MS, Candidate, HostTaken, NewToken, enrol, renew
from collector.access.token import Forbidden, Scope, Unauthenticated, issue
from collector.storage import audit, tokens
from collector.storage.database import Database
from shared.token import digest_of, new_token, parse
from tests.builders import NOON_MS, a_snapshot
from tests.collecting import Collecting

HOUR_MS = 3_600_000


def told(text: str) -> NewToken:
    parsed = parse(text)
    assert parsed
    return NewToken(id=parsed[0], digest=digest_of(parsed[1]).hex())


async def a_join_token(db: Database, *, uses: int = 1, role: str | None = None, life_ms: int | None = None) -> str:
    text, grant = issue(Scope.JOIN, None, NOON_MS)
    grant = replace(grant, uses_left=uses, role=role, expires_ms=NOON_MS + HOUR_MS, life_ms=life_ms)
    async with db.writing() as connection:
        await tokens.add(connection, grant)
    return text


async def test_a_join_token_lets_in_so_many_hosts_and_no_more(db: Database) -> None:
    join = await a_join_token(db, uses=2)
    made = {host: new_token() for host in ("lb1", "lb2", "lb3")}
    for host in ("lb1", "lb2"):
        await enrol(db, join, Candidate(host=host, token=told(made[host])), NOON_MS)
        grant = await proved(db, made[host], NOON_MS)
        assert grant
        assert (grant.scope, grant.host) == (Scope.PUSH, host)
    with pytest.raises(Unauthenticated, match="is used up"):
        await enrol(db, join, Candidate(host="lb3", token=told(made["lb3"])), NOON_MS)


async def test_an_answer_that_was_lost_costs_no_second_use(db: Database) -> None:
    join, candidate = await a_join_token(db), Candidate(host="lb1", token=told(new_token()))
    first = await enrol(db, join, candidate, NOON_MS)
    assert await enrol(db, join, candidate, NOON_MS + 1) == first


async def test_a_join_token_ends_with_its_time_its_revocation_and_for_another_role(db: Database) -> None:
    join, candidate = await a_join_token(db, role="edge"), Candidate(host="lb1", role="edge", token=told(new_token()))
    with pytest.raises(Forbidden, match="of role 'edge', not 'core'"):
        await enrol(db, join, replace(candidate, role="core"), NOON_MS)
    with pytest.raises(Unauthenticated, match="has expired"):
        await enrol(db, join, candidate, NOON_MS + HOUR_MS)
    async with db.writing() as connection:
        await tokens.revoke(connection, join.split("_")[1], NOON_MS)
    with pytest.raises(Unauthenticated, match="was revoked"):
        await enrol(db, join, candidate, NOON_MS)


async def test_only_a_join_token_lets_anybody_in(collector: Collecting) -> None:
    for token in (collector.tokens["push"], collector.tokens["read"]):
        with pytest.raises(Forbidden, match="lets nobody in"):
            await enrol(collector.db, token, Candidate(host="lb1", token=told(new_token())), NOON_MS)
    with pytest.raises(Unauthenticated):
        await enrol(collector.db, new_token(), Candidate(host="lb1", token=told(new_token())), NOON_MS)


async def test_a_host_made_anew_is_let_in_and_its_old_token_ends(db: Database) -> None:
    join, old, new = await a_join_token(db, uses=2), new_token(), new_token()
    await enrol(db, join, Candidate(host="lb1", token=told(old)), NOON_MS)
    await enrol(db, join, Candidate(host="lb1", token=told(new)), NOON_MS + 1)
    assert await proved(db, old, NOON_MS + 1) is None
    assert await proved(db, new, NOON_MS + 1)


async def test_nobody_takes_the_name_of_a_host_that_reports_from_another_machine(collector: Collecting) -> None:
    """Whoever has a join token must not silence a host, or speak for it."""
    join = await a_join_token(collector.db)
    mine, other = "a" * 32, "b" * 32
    await collector.push(replace(a_snapshot(host="lb1"), machine_id=mine))
    candidate = Candidate(host="lb1", token=told(new_token()))
    for machine_id in (other, ""):
        with pytest.raises(HostTaken, match="another machine reports"):
            await enrol(collector.db, join, replace(candidate, machine_id=machine_id), collector.clock())
    collector.clock.turn(60)
    await enrol(collector.db, join, replace(candidate, machine_id=other), collector.clock())


async def test_a_host_that_reports_may_enrol_again_from_its_own_machine(collector: Collecting) -> None:
    join, mine = await a_join_token(collector.db), "a" * 32
    await collector.push(replace(a_snapshot(host="lb1"), machine_id=mine))
    await enrol(collector.db, join, Candidate(host="lb1", machine_id=mine, token=told(new_token())), collector.clock())


async def test_a_renewed_token_is_good_at_once_and_the_old_one_for_a_while(db: Database) -> None:
    join, old, new = await a_join_token(db, life_ms=90 * 24 * HOUR_MS), new_token(), new_token()
    grant = await enrol(db, join, Candidate(host="lb1", token=told(old)), NOON_MS)
    assert grant.renew_ms == NOON_MS + 60 * 24 * HOUR_MS
    now_ms = NOON_MS + HOUR_MS
    made = await renew(db, grant, told(new), now_ms)
    assert made.expires_ms == now_ms + 90 * 24 * HOUR_MS
    assert await renew(db, grant, told(new), now_ms) == made, "an answer was lost"
    assert await proved(db, new, now_ms)
    assert await proved(db, old, now_ms + GRACE_MS - 1)
    assert await proved(db, old, now_ms + GRACE_MS) is None
    async with db.reading() as connection:
        deeds = await audit.newest(connection, limit=9)
    assert [deed.action for deed in deeds] == ["token-renew", "enrol"]
    assert not [secret for secret in (join, old, new) if secret.split("_", 2)[2] in str(deeds)]


async def test_a_token_of_no_host_is_not_renewed(db: Database) -> None:
    _, grant = issue(Scope.PUSH, None, NOON_MS)
    with pytest.raises(Forbidden, match="bound to a host"):
        await renew(db, grant, told(new_token()), NOON_MS)


async def test_an_id_that_another_token_has_is_refused(db: Database) -> None:
    join, taken = await a_join_token(db, uses=2), told(new_token())
    await enrol(db, join, Candidate(host="lb1", token=taken), NOON_MS)
    with pytest.raises(HostTaken, match="another token has the id"):
        await enrol(db, join, Candidate(host="lb2", token=taken), NOON_MS)
