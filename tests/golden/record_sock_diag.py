"""Record golden answers of the running kernel: `python -m tests.golden.record_sock_diag` (needs a network namespace).

Makes sockets whose place in the dump is known, asks for them, and writes the kernel's bytes beside what was made.
"""

import json
import os
import socket
import time
from pathlib import Path

from agent.netlink.request import both_families, local_port_in, tcp_families
from agent.netlink.sock_diag import SockDiag
from shared.ports import PortRange
from shared.tcp import ALL_STATES
from tests.netns import fresh_netns

HERE = Path(__file__).parent / "sock_diag"
RANGE = PortRange(40_000, 40_299)
NO_PORT = 24


def main() -> None:
    """Write every_state (both families in one legacy answer) and v4_only, v6_only (modern answers)."""
    HERE.mkdir(exist_ok=True)
    with fresh_netns() as netns:
        netns.set_sysctl("ipv4/ip_local_port_range", f"{RANGE.low} {RANGE.high}")
        kept = netns.run(make_sockets)
        time.sleep(0.2)  # Until the last FIN has arrived.
        code = local_port_in([RANGE])
        for name, request in zip(
            ("every_state", "v4_only", "v6_only"),
            [both_families(ALL_STATES, code), *tcp_families(ALL_STATES, code)],
            strict=True,
        ):
            answer = netns.run(ask, request)
            family = {"v4_only": [4], "v6_only": [6]}.get(name, [4, 6])
            (HERE / f"{name}.bin").write_bytes(answer)
            expected = {
                "kernel": os.uname().release,
                "sockets": [
                    {key: one[key] for key in ("state", "local", "peer")} for one in kept[1] if one["family"] in family
                ],
            }
            (HERE / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


def ask(request: bytes) -> bytes:
    """The whole answer."""
    with SockDiag() as diag:
        return b"".join(bytes(buffer) for buffer in diag.dump(request))


def make_sockets() -> tuple[list[socket.socket], list[dict[str, str | int]]]:
    """Sockets on ports of RANGE in many states: (kept open, what the kernel should say of each)."""
    kept: list[socket.socket] = []
    told: list[dict[str, str | int]] = []

    def note(state: str, local: str, peer: str, family: int = 4) -> None:
        told.append({"state": state, "local": local, "peer": peer, "family": family})

    server = _listener(kept, "127.0.0.1", 9001)
    pairs = [_pair(kept, server, (f"127.0.0.{number + 1}", 40_000 + number)) for number in range(24)]
    for number, (client, accepted) in enumerate(pairs):
        state = ["ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT2", "TIME_WAIT"][number % 4]
        if state == "CLOSE_WAIT":
            accepted.shutdown(socket.SHUT_WR)
        elif state == "FIN_WAIT2":
            client.shutdown(socket.SHUT_WR)
        elif state == "TIME_WAIT":
            client.close()
            accepted.close()
        note(state, f"127.0.0.{number + 1} {40_000 + number}", "127.0.0.1 9001")
    plain = socket.socket()
    plain.setsockopt(socket.IPPROTO_IP, NO_PORT, 1)
    plain.bind(("127.0.0.1", 0))
    plain.connect(("127.0.0.1", 9001))
    kept += [plain, server.accept()[0]]
    note("ESTABLISHED", f"127.0.0.1 {plain.getsockname()[1]}", "127.0.0.1 9001")
    _listener(kept, "127.0.0.1", 40_200)
    note("LISTEN", "127.0.0.1 40200", "0.0.0.0 0")
    idle = socket.socket()
    idle.bind(("127.0.0.9", 40_201))
    kept.append(idle)
    note("CLOSE", "127.0.0.9 40201", "0.0.0.0 0")
    server6 = _listener(kept, "::1", 9001)
    client6, _accepted6 = _pair(kept, server6, ("::1", 40_202))
    note("ESTABLISHED", "::1 40202", "::1 9001", 6)
    mapped = socket.socket(socket.AF_INET6)
    mapped.bind(("::ffff:127.0.0.1", 40_203))
    mapped.connect(("::ffff:127.0.0.1", 9001))
    kept += [mapped, client6, server.accept()[0]]
    note("ESTABLISHED", "127.0.0.1 40203", "127.0.0.1 9001", 6)
    return kept, told


def _listener(kept: list[socket.socket], address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.listen(64)
    kept.append(made)
    return made


def _pair(
    kept: list[socket.socket], server: socket.socket, local: tuple[str, int]
) -> tuple[socket.socket, socket.socket]:
    client = socket.socket(server.family)
    client.bind(local)
    client.connect(server.getsockname()[:2])
    accepted = server.accept()[0]
    kept += [client, accepted]
    return client, accepted


if __name__ == "__main__":
    main()
