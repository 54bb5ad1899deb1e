"""Claims on a pool become owners with shares, told in one line."""

from hypothesis import given
from hypothesis import strategies as st

from agent.netlink.records import Socket
from agent.ownership import Claim, Claims, Owner, Ownership, Process, largest_first, printable
from shared.limits import MAX_OWNER_CHARS
from tests.kernel_bytes import a_socket

HAPROXY = Owner(name="haproxy.service", processes=(Process(1312, "haproxy"),), sockets=93)
CURL = Owner(name="session-3.scope of user 1000", processes=(Process(9, "curl"),), sockets=7)
NAMES = st.text(max_size=200)
OWNERS = st.builds(
    lambda name, user, comms, sockets: Owner(
        name=name,
        user=user,
        processes=tuple(Process(pid, comm) for pid, comm in enumerate(comms)),
        sockets=sockets,
    ),
    NAMES,
    NAMES,
    st.lists(NAMES, max_size=5),
    st.integers(0, 65_535),
)


def owned(inode: int, *, cgroup_id: int | None = 5, uid: int = 99) -> Socket:
    return a_socket(cookie=inode)._replace(inode=inode, cgroup_id=cgroup_id, uid=uid)


def claims(*sockets: Socket) -> Claims:
    made = Claims()
    for one in sockets:
        made.add(one)
    return made


def test_one_owner_is_told_without_a_share() -> None:
    assert Ownership((HAPROXY,)).summary() == "haproxy.service, pid 1312"


def test_several_owners_are_told_with_theirs() -> None:
    told = Ownership((HAPROXY, CURL)).summary()

    assert told == "haproxy.service, pid 1312 (93%); session-3.scope of user 1000, curl pid 9 (7%)"


def test_owners_past_the_third_are_counted() -> None:
    told = Ownership(tuple(Owner(name=f"{n}.service", sockets=10) for n in "abcde")).summary()

    assert told == "a.service (20%); b.service (20%); c.service (20%); 2 more"


def test_a_process_is_named_where_the_group_does_not_name_it() -> None:
    workers = tuple(Process(pid, "nginx") for pid in (10, 11, 12, 13))

    assert str(Owner(name="docker 0123456789ab", processes=workers)) == "docker 0123456789ab, nginx pids 10 11 12 …"
    assert str(Owner(name="", user="www", processes=workers[:1])) == "user www, nginx pid 10"
    assert str(Owner(name="", processes=workers[:1])) == "nginx pid 10"
    assert str(Owner(name="nginx.service")) == "nginx.service"


def test_nobody_is_told_as_nothing() -> None:
    assert Ownership().summary() == Ownership((Owner(name="", sockets=3),)).summary() == ""


@given(st.lists(OWNERS, max_size=5))
def test_a_summary_is_always_fit_for_the_wire(owners: list[Owner]) -> None:
    told = Ownership(largest_first(owners)).summary()

    assert told.isprintable()
    assert len(told) <= MAX_OWNER_CHARS


@given(st.lists(OWNERS, min_size=1, max_size=5))
def test_shares_add_up(owners: list[Owner]) -> None:
    ownership = Ownership(largest_first(owners))

    total = sum(ownership.share(one) for one in ownership.owners)

    assert abs(total - (1 if any(one.sockets for one in owners) else 0)) < 1e-9
    assert [one.sockets for one in ownership.owners] == sorted((one.sockets for one in owners), reverse=True)


def test_sockets_are_claimed_by_group_and_user() -> None:
    counted = claims(owned(1), owned(2), owned(3, uid=0), owned(4, cgroup_id=None))

    assert counted.settled() == {Claim(5, 99): 2, Claim(5, 0): 1, Claim(None, 99): 1}
    assert counted.inodes.keys() == {1, 2, 3, 4}


def test_orphans_stay_with_their_group_and_go_to_its_largest_user() -> None:
    """close() takes user and inode from a socket that is still closing; the control group stays."""
    orphan = owned(0, uid=0)

    assert claims(owned(1), owned(2), owned(3, uid=7), orphan).settled() == {Claim(5, 99): 3, Claim(5, 7): 1}
    assert claims(orphan).settled() == {Claim(5, None): 1}


def test_time_waits_belong_to_nobody() -> None:
    counted = claims(owned(0, cgroup_id=None))

    assert (counted.unowned, dict(counted.settled())) == (1, {})


def test_names_cannot_upset_a_terminal() -> None:
    assert printable("a\x1b[2Jb\n") == "a?[2Jb?"
