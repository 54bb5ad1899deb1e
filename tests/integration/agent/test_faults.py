"""A real agent, a real collector, and everything between them going wrong: nothing is lost, nothing counted twice."""

import random
import signal
import subprocess
import time
from email.utils import formatdate

import pytest

from tests.agent_process import until
from tests.front import answering
from tests.ground import Ground

pytestmark = pytest.mark.timeout(400)
DOWN_S = 30
KILLS = 20


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answering("500 Broken"), "answered 500"),
        (answering("503 Busy", "Retry-After: 1"), "answered 503"),
        (answering("503 Busy", f"Retry-After: {formatdate(time.time() + 1, usegmt=True)}"), "answered 503"),
        (answering("429 Slowly", "Retry-After: 0"), "answered 429"),
        (answering("200 OK", "Content-Type: text/html", body=b"<html>log in</html>"), "<html>log in</html>"),
        (b"\x16\x03\x01 this is no HTTP\r\n\r\n", "cannot be reached"),
    ],
    ids=["500", "503", "503 until a date", "429", "a page of a proxy", "garbage"],
)
def test_whatever_is_answered_everything_arrives_once_it_is_over(ground: Ground, answer: bytes, said: str) -> None:
    ground.front.answer = answer
    ground.start_agent(interval_s=1)
    until(lambda: ground.front.answered >= 2)
    ground.front.answer = None

    ground.until_received(2)
    host = ground.until_whole()

    log = ground.agent.log.read_text()
    assert host["duplicates"] == 0
    assert said in log
    assert log.count(said) <= 2  # Said when it began, and at most once more when it changed its face.
    until(lambda: "takes snapshots again" in ground.agent.log.read_text())


def test_who_is_not_let_in_keeps_everything_and_comes_in_when_it_is_mended(ground: Ground) -> None:
    ground.front.answer = answering("401 Who are you")
    ground.start_agent()
    until(lambda: ground.front.answered >= 1)
    ground.agent.until_logged("until an operator mends this")
    time.sleep(2)
    assert ground.front.answered <= 2
    ground.front.answer = None
    ground.agent.configure(collector=ground.url, interval_s=0.5, host="lb1", gzip=True)
    ground.agent.process.send_signal(signal.SIGHUP)

    ground.until_received(5)
    assert ground.until_whole()["duplicates"] == 0
    assert ground.agent.log.read_text().count("answered 401") == 1


def test_who_never_answers_is_given_up_and_nothing_is_lost(ground: Ground) -> None:
    ground.front.answer = b""
    ground.start_agent(interval_s=1)
    until(lambda: ground.front.answered >= 2)  # The first one was given up after 15 s.
    ground.agent.until_logged("no answer within 15 s")
    ground.front.answer = None
    ground.front.cut(lambda _port: True)

    ground.until_received(5)
    ground.until_whole()


def test_a_collector_killed_and_back_after_half_a_minute_gets_everything_in_the_end(ground: Ground) -> None:
    ground.start_agent(interval_s=1)
    ground.until_received(3)
    ground.kill_collector()
    time.sleep(DOWN_S)
    ground.start_collector()

    ground.until_received(3)
    assert ground.told()["state"] == "reporting"  # The newest go first.
    assert ground.until_whole()["duplicates"] <= 1  # Committed, and killed before it could say so.


def test_a_cable_pulled_and_put_back_loses_nothing(ground: Ground) -> None:
    ground.start_agent()
    ground.until_received(3)
    ground.near.check_output(["ip", "link", "set", "cable", "down"])
    time.sleep(5)
    ground.near.check_output(["ip", "link", "set", "cable", "up"])

    ground.until_received(5)
    ground.until_whole()


NETEM = ["netem", "delay", "250ms", "rate", "128kbit", "loss", "2%"]
BUCKET = ["tbf", "rate", "32kbit", "burst", "2kb", "latency", "400ms"]
"""Where the kernel has no netem (modprobe sch_netem): what does not fit is delayed, then lost."""


def test_a_slow_link_carries_everything(ground: Ground) -> None:
    if not (is_slowed(ground, NETEM) or is_slowed(ground, BUCKET)):
        pytest.skip("neither netem nor tbf in this kernel")
    ground.start_agent(interval_s=0.5)

    ground.until_received(10)
    assert ground.until_whole()["duplicates"] <= 1


def is_slowed(ground: Ground, how: list[str]) -> bool:
    """Whether the kernel can make the agent's cable slow so."""
    try:
        ground.near.check_output(["tc", "qdisc", "add", "dev", "cable", "root", *how], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def test_who_reads_slowly_gets_everything_over_one_connection(ground: Ground) -> None:
    """Without netem too: the far end takes two kilobytes a second."""
    ground.front.bytes_per_s = 2_000
    ground.start_agent(interval_s=2)

    ground.until_received(5)
    assert ground.until_whole()["duplicates"] == 0
    assert len(ground.front.clients) == 1


def test_an_agent_killed_twenty_times_at_any_moment_loses_nothing_that_it_had_spooled(ground: Ground) -> None:
    chance = random.Random(4)
    for _ in range(KILLS):
        ground.start_agent(interval_s=0.3)
        time.sleep(chance.uniform(0.3, 2.5))
        ground.agent.process.kill()
        ground.agent.process.wait()
    ground.start_agent(interval_s=0.3)
    ground.until_received(3)
    ground.agent.process.send_signal(signal.SIGTERM)
    assert ground.agent.process.wait(30) == 0
    if ground.agent.spooled():
        ground.start_agent(interval_s=3600)  # At the end there may be some that had no time to go.

    host = ground.until_whole()

    assert host["received"] > KILLS // 4  # On a busy machine some are killed before their first snapshot.
    assert host["duplicates"] <= KILLS  # Taken, and killed before it was forgotten here.
    assert "the spool was damaged" not in ground.agent.log.read_text()


def test_who_takes_small_bodies_only_is_told_the_same_with_fewer_pools(ground: Ground) -> None:
    steps = [["connect", "127.0.0.1", port, 1] for port in range(9_000, 9_080)]
    ground.spend(steps)
    ground.front.most_bytes = 2_500
    ground.start_agent()

    ground.until_received(5)
    assert ground.until_whole()["duplicates"] == 0
    ground.agent.until_logged("fewer pools are told one by one")
