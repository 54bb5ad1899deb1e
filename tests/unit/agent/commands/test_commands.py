"""The commands, run as a user runs them, on a real namespace."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.__main__ import main
from agent.bound_memory import BoundMemory
from agent.netns import current
from tests.netns import Netns
from tests.sockets import connect, listen
from tests.watching import a_port

PEER = "127.0.0.1:9001"


@pytest.fixture
def host(netns: Netns, keep: list[socket.socket]) -> Netns:
    """300 ports; 255 held towards one backend, 30 towards another."""
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    for port, count in ((9001, 255), (9002, 30)):
        netns.run(connect, keep, netns.run(listen, keep, port), count)
    return netns


def told(host: Netns, capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert host.run(main, argv) == 0
    return json.loads(capsys.readouterr().out)


# --- pools -----------------------------------------------------------------------------------------------------------


def test_pools_lists_the_hottest_first_as_a_table(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    assert host.run(main, ["pools", "--netns", "own"]) == 0

    head, titles, first, second = capsys.readouterr().out.splitlines()
    assert "range 40000–40299 (300 ports), reserved 0, blocked 0, a pool can lend 300" in head
    assert titles.split()[:9] == ["LOCAL", "→", "PEER", "HELD", "/", "CAPACITY", "OCCUPANCY", "LEFT", "STATES"]
    assert first.split()[:6] == ["127.0.0.1", "→", PEER, "255", "/", "300"]
    assert "    45  ESTABLISHED 255" in first
    assert second.split()[3] == "30"


def test_pools_json_has_the_documented_keys(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    report = told(host, capsys, "pools", "--netns", "own", "--json")

    assert report.keys() == {"host", "taken_at_ms", "namespaces", "pools", "unreadable", "notes"}
    assert report["namespaces"][0]["range"] == {"low": 40_000, "high": 40_299}
    pool = report["pools"][0]
    assert {
        key: pool[key] for key in ("kind", "local_ip", "peer_ip", "peer_port", "held", "capacity", "occupancy")
    } == {
        "kind": "connect",
        "local_ip": "127.0.0.1",
        "peer_ip": "127.0.0.1",
        "peer_port": 9001,
        "held": 255,
        "capacity": 300,
        "occupancy": 0.85,
    }
    assert (pool["headroom_min"], pool["headroom_max"], pool["states"]) == (45, 45, {"ESTABLISHED": 255})


def test_pools_limit_bounds_the_list_and_says_so(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(told(host, capsys, "pools", "--netns", "own", "--json", "--limit", "1")["pools"]) == 1
    assert host.run(main, ["pools", "--netns", "own", "--limit", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "and 1 more pools, none fuller"


def test_pools_watch_refreshes_until_interrupted(host: Netns) -> None:
    command = [sys.executable, "-m", "agent", "pools", "--netns", "own", "--watch", "--interval", "0.1", "--json"]
    process = host.popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None

    seen = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.send_signal(2)

    assert process.wait(10) == 0
    assert [one["pools"][0]["held"] for one in seen] == [255] * 3
    assert seen[0]["taken_at_ms"] < seen[2]["taken_at_ms"]
    process.stdout.close()


@pytest.mark.usefixtures("watching")
def test_failures_and_owner_are_told_as_they_happen(netns: Netns) -> None:
    """Somebody fills a pool and goes on: `pools --watch` counts what fails, and says who it is."""
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    command = [sys.executable, "-m", "agent", "pools", "--netns", "own", "--watch", "--interval", "0.2", "--json"]
    process = netns.popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    port = a_port()
    spender = spend(netns, "127.0.0.1", port, 320)

    failures, owner = 0, ""
    while failures < 20 or not owner:
        for pool in [one for one in json.loads(process.stdout.readline())["pools"] if one["peer_port"] == port]:
            failures, owner = failures + pool["failures"], pool["owner"]

    assert failures == 20
    assert owner.endswith(f"pid {spender}")


def spend(host: Netns, address: str, port: int, count: int) -> int:
    """A process that connects so often and keeps what it gets; answers its pid."""
    steps = json.dumps([["connect", address, port, count]])
    command = [sys.executable, "-m", "tests.spender", steps]
    process = host.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return int(json.loads(process.stdout.readline())["pid"])


# --- check -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thresholds", "status", "word"),
    [
        ([], 2, "CRITICAL"),
        (["--warning", "0.85", "--critical", "0.9"], 1, "WARNING"),
        (["-w", "0.9", "-c", "0.95"], 0, "OK"),
        (["-w", "~:0.84", "-c", "~:0.85"], 1, "WARNING"),
        (["-w", "0.2:0.9", "-c", "@0.8:0.9"], 2, "CRITICAL"),
        (["-w", "0:0.9", "-c", "~:", "-vvv"], 0, "OK"),
    ],
)
def test_check_exits_as_monitoring_plugins_do(
    host: Netns, capsys: pytest.CaptureFixture[str], thresholds: list[str], status: int, word: str
) -> None:
    assert host.run(main, ["check", "--netns", "own", *thresholds]) == status

    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"{word} - 127.0.0.1 -> {PEER} holds 255 of 300 ports (85 %), 45 left")
    assert " | '127.0.0.1->127.0.0.1:9001'=255;" in first


def test_check_says_more_the_more_often_it_is_asked(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    assert host.run(main, ["check", "--netns", "own", "-vvv"]) == 2

    first, *more = capsys.readouterr().out.splitlines()
    assert "(ESTABLISHED 255" in first.split(" | ")[0]
    assert "a pool warns at @0.7:, alarms at @0.85: of what it can lend" in more
    assert any(line.startswith("namespace ") and "range 40000–40299" in line for line in more)
    assert any(re.fullmatch(r"1 namespaces with .* outbound sockets in .* s, probed .*", line) for line in more)


def test_check_json_says_the_same(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    assert host.run(main, ["check", "--netns", "own", "--json"]) == 2

    report = json.loads(capsys.readouterr().out)
    assert report["status"] == "CRITICAL"
    assert "(85 %), 45 left" in report["message"]
    assert report["pools"][0]["held"] == 255


def test_check_sees_binders_that_only_a_probe_can_tell(host: Netns, keep: list[socket.socket]) -> None:
    """15 sockets bound to an address without a port block 15 ports for every destination."""
    second = host.run(listen, keep, 9003)
    host.run(connect, keep, second, 15, local="127.0.0.1")

    line = host.run(
        lambda: (
            subprocess.run(
                [sys.executable, "-m", "agent", "check", "--netns", "own"], capture_output=True, text=True, check=False
            ).stdout
        )
    )

    assert "30 left" in line.splitlines()[0]


@pytest.mark.parametrize(
    "argv", [["--warning", "70"], ["--warning", "0.9", "--critical", "0.5"], ["--nonsense"], ["--warning", "x"]]
)
def test_check_calls_wrong_flags_unknown_not_critical(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["check", "--netns", "own", *argv])

    assert caught.value.code == 3
    assert capsys.readouterr().out.startswith("UNKNOWN - ")


@pytest.mark.parametrize(
    ("as_json", "start"), [([], "UNKNOWN - no sample within"), (["--json"], '{"status": "UNKNOWN"')]
)
def test_check_ends_by_itself_before_its_scheduler_ends_it(as_json: list[str], start: str) -> None:
    command = [sys.executable, "-m", "agent", "check", "--netns", "own", "--timeout", "0.0001", *as_json]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith(start), done.stderr) == (3, True, "")


def test_check_without_a_sample_is_unknown(
    netns: Netns, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.sysctl.IPV4", Path("/nonexistent"))
    monkeypatch.setattr("agent.sysctl.read_port_settings.__defaults__", (Path("/nonexistent"),))

    assert netns.run(main, ["check", "--netns", "own"]) == 3
    assert capsys.readouterr().out.startswith("UNKNOWN - the sysctls under /nonexistent cannot be read")


def test_check_and_explain_say_who_holds_the_pool(netns: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    pid = spend(netns, "127.0.0.1", 9001, 255)

    assert netns.run(main, ["check", "--netns", "own"]) == 2
    assert re.search(rf"45 left, past the knee, held by .*pid {pid} \| '127", capsys.readouterr().out.splitlines()[0])

    report = told(netns, capsys, "explain", "--local", "127.0.0.1", "--peer", PEER, "--json")
    assert report["owner"].endswith(f"pid {pid}")


# --- explain ---------------------------------------------------------------------------------------------------------


def test_explain_closes_the_sum(netns: Netns, keep: list[socket.socket], capsys: pytest.CaptureFixture[str]) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    netns.set_sysctl("ipv4/ip_local_reserved_ports", "40290-40299")
    netns.run(listen, keep, 40_289)
    netns.run(connect, keep, netns.run(listen, keep, 9001), 200)

    report = told(netns, capsys, "explain", "--local", "127.0.0.1", "--peer", PEER, "--json")

    size = report["range"]["high"] - report["range"]["low"] + 1
    assert size - report["reserved"] - report["blocked"] == report["capacity"]
    assert report["capacity"] - report["held"] == report["headroom"]
    assert (report["reserved"], report["blocked"]) == (10, 1)
    assert report["headroom_min"] == report["headroom"] == report["headroom_max"]
    assert report["states"] == {"ESTABLISHED": report["held"]}


def test_explain_prints_the_derivation(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    assert host.run(main, ["explain", "--local", "127.0.0.1", "--peer", PEER]) == 0

    text = capsys.readouterr().out
    for part in ("127.0.0.1 → 127.0.0.1:9001", "range", "40000–40299", "− 255", "ESTABLISHED", "headroom", "exact"):
        assert part in text


def test_explain_knows_pools_without_a_connection(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    report = told(host, capsys, "explain", "--local", "10.1.2.3", "--peer", "10.4.5.6:443", "--json")

    assert (report["held"], report["headroom"]) == (0, 300)


def test_explain_takes_ipv6_in_brackets(
    host: Netns, keep: list[socket.socket], capsys: pytest.CaptureFixture[str]
) -> None:
    host.run(connect, keep, host.run(listen, keep, 9001, "::1"), 3)

    report = told(host, capsys, "explain", "--local", "::1", "--peer", "[::1]:9001", "--json")

    assert (report["local_ip"], report["peer_ip"], report["held"]) == ("::1", "::1", 3)


def test_explain_predicts_to_the_port_what_connect_gets(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    def connects_until_refused() -> int:
        made: list[socket.socket] = []
        try:
            while True:
                made.append(socket.socket())
                made[-1].settimeout(0)
                made[-1].connect_ex(("127.0.0.1", 9001))
                made[-1].getsockname()
                if made[-1].getsockname()[1] == 0:
                    return len(made) - 1
        finally:
            for one in made:
                one.close()

    told_headroom = told(host, capsys, "explain", "--local", "127.0.0.1", "--peer", PEER, "--json")["headroom"]

    assert told_headroom == host.run(connects_until_refused) == 45


def test_an_ipv6_peer_without_brackets_is_read_as_haproxy_reads_it_and_that_is_told(
    netns: Netns, capsys: pytest.CaptureFixture[str]
) -> None:
    netns.run(main, ["explain", "--local", "::1", "--peer", "::1:80"])

    seen = capsys.readouterr()
    assert "[::1]:80" in seen.out
    assert seen.err == "portgauge-agent: ::1:80 is read as [::1]:80\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["explain", "--local", "x", "--peer", PEER], "'x' is not an IP address"),
        (["explain", "--local", "127.0.0.1", "--peer", "127.0.0.1"], "is not an endpoint like 10.0.0.1:8080"),
        (["explain", "--local", "::1", "--peer", "fd00::1"], "'fd00::1' is not an endpoint like 10.0.0.1:8080"),
        (["explain", "--local", "127.0.0.1", "--peer", PEER, "--local-port-range", "9-1"], "does not name ports"),
        (["pools", "--netns", "own", "--limit", "0"], "not a whole number from 1 on"),
        (["pools", "--netns", "own", "--interval", "-1"], "not a number of seconds above 0"),
        (["polls"], "invalid choice: 'polls'"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_flags_are_named_with_their_mend(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)

    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--local", "127.0.0.1", "--peer", "[::1]:80"], "are not of one address family"),
        (["--local", "127.0.0.1", "--peer", PEER, "--device", "nodev0"], "no network device 'nodev0'"),
    ],
)
def test_questions_without_sense_get_one_line_and_status_2(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", *argv]) == 2
    assert message in capsys.readouterr().err


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "pools", "check", "advise", "explain", "doctor"):
        with pytest.raises(SystemExit) as caught:
            main([command, "--help"])
        assert caught.value.code == 0
        assert "example:" in capsys.readouterr().out


def test_a_reader_that_leaves_early_is_no_error(host: Netns) -> None:
    """As in `portgauge-agent pools | head -1`."""
    piped = f"{sys.executable} -m agent pools --netns own --watch --interval 0.05 | head -1"

    done = host.run(
        lambda: subprocess.run(["sh", "-c", piped], capture_output=True, text=True, timeout=20, check=False)
    )

    assert done.stdout.startswith("namespace ")
    assert done.stderr == ""


def test_explain_says_that_an_address_is_not_ours(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    note = told(host, capsys, "explain", "--local", "203.0.113.9", "--peer", PEER, "--json")["note"]

    assert note == "203.0.113.9 is no address of this namespace (see: ip address)"
    assert not told(host, capsys, "explain", "--local", "127.0.0.1", "--peer", PEER, "--json")["note"]
    assert not told(host, capsys, "explain", "--local", "::1", "--peer", "[::1]:80", "--json")["note"]


@pytest.mark.parametrize("ends", [("0.0.0.0", PEER), ("127.0.0.1", "0.0.0.0:80"), ("::", "[::1]:80")])
def test_explain_wants_the_addresses_that_connections_really_have(
    netns: Netns, capsys: pytest.CaptureFixture[str], ends: tuple[str, str]
) -> None:
    assert netns.run(main, ["explain", "--local", ends[0], "--peer", ends[1]]) == 2
    assert "stands for any address" in capsys.readouterr().err


def test_a_wrong_protocol_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["explain", "--local", "127.0.0.1", "--peer", PEER, "--protocol", "sctp"])

    assert "(choose from 'tcp', 'udp')" in capsys.readouterr().err


# --- advise ----------------------------------------------------------------------------------------------------------


def test_advise_tells_what_to_do_about_the_pool_near_its_limit(
    host: Netns, keep: list[socket.socket], capsys: pytest.CaptureFixture[str]
) -> None:
    host.run(listen, keep, 3306)

    assert host.run(main, ["advise", "--target", "1000", "--netns", "own"]) == 0

    text = capsys.readouterr().out
    assert f"127.0.0.1 → {PEER} holds 255 of 300 ports, 45 left" in text
    assert "1,000 connections ÷ 300 a backend = 4 backends in all" in text
    assert "sysctl -w net.ipv4.ip_local_reserved_ports=3306,9001-9002" in text


def test_advise_has_nothing_to_say_where_nothing_is_near(netns: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    assert netns.run(main, ["advise", "--netns", "own"]) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_advise_tells_ports_in_use_now_from_those_remembered(
    host: Netns, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name = host.run(current).name
    with BoundMemory(tmp_path, may_write=True) as memory:
        memory.note({name: {3_306: "listening"}}, 1_763_600_000_000)

    assert host.run(main, ["advise", "--netns", "own", "--spool", str(tmp_path)]) == 0

    said = capsys.readouterr().out
    assert "in use there before, so to be reserved too: 3306 (listening, last seen 2025-11-20)" in said
    assert "the agent remembers ports in use since 2025-11-20" in said


def test_advise_says_that_it_has_no_memory(host: Netns, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert host.run(main, ["advise", "--netns", "own", "--spool", str(tmp_path)]) == 0

    assert f"ports in use before are not known: {tmp_path}/bound.db cannot be used" in capsys.readouterr().out


def test_advise_json_carries_gains_as_numbers(host: Netns, capsys: pytest.CaptureFixture[str]) -> None:
    (pool,) = told(host, capsys, "advise", "--json", "--netns", "own")["pools"]

    assert pool["held"] == 255
    assert pool["options"][0]["gain"] == 300


@pytest.mark.parametrize("command", ["pools", "check", "advise"])
def test_no_probe_leaves_the_kernel_in_peace(host: Netns, command: str) -> None:
    """Without TCP Fast Open each probed port counts one Tcp.EstabResets."""
    host.set_sysctl("ipv4/tcp_fastopen", "0")

    def resets() -> int:
        names, values = [
            line.split() for line in Path("/proc/thread-self/net/snmp").read_text().splitlines() if line[:4] == "Tcp:"
        ]
        return int(values[names.index("EstabResets")])

    before = host.run(resets)
    host.run(main, [command, "--netns", "own", "--no-probe"])
    assert host.run(resets) == before
    host.run(main, [command, "--netns", "own"])
    assert host.run(resets) > before
