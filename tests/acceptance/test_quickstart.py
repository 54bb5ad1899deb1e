"""`make run`: a person with a fresh clone sees this host at the printed address, and Ctrl-C ends it all."""

import os
import signal
import subprocess
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

from agent.identity import host_name

ROOT = Path(__file__).parents[2]


def start(state: Path, listen: str = "127.0.0.1:0") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tools.quickstart", "--listen", listen],
        cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_printed_address_shows_this_host_and_ctrl_c_stops_both(tmp_path: Path) -> None:
    process = start(tmp_path)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    address = next(word for word in lines[2].split() if "/?login=" in word)
    page = build_opener(HTTPCookieProcessor(CookieJar()))

    deadline_s = time.monotonic() + 30
    text = ""
    while host_name() not in text and time.monotonic() < deadline_s:
        with page.open(address, timeout=10) as response:
            text = response.read().decode()
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=20)

    assert host_name() in text
    assert process.returncode == 0
    assert "Traceback" not in err
    assert oct((tmp_path / "portgauge" / "read.token").stat().st_mode)[-3:] == "600"


def test_a_second_one_on_the_same_port_says_so_and_leaves_the_first_alone(tmp_path: Path) -> None:
    first = start(tmp_path / "first")
    assert first.stdout is not None
    address = first.stdout.readline().split()[2].removeprefix("http://")
    first.stdout.readline()
    first.stdout.readline()

    second = start(tmp_path / "second", address)
    _out, err = second.communicate(timeout=30)

    assert second.returncode not in (0, None)
    assert address.rpartition(":")[2] in err
    assert "Traceback" not in err
    assert first.poll() is None
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=20)
    assert first.returncode == 0
