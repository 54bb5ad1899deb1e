"""tests/kernels/on-kernel where no kernel can be had; where it can, `make kernels` is the test."""

import shutil
import subprocess
from pathlib import Path

ON_KERNEL = Path(__file__).parent / "on-kernel"
BASH = shutil.which("bash") or "bash"


def on_kernel(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(path), "HOME": str(path)}
    command = [BASH, str(ON_KERNEL), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_without_qemu_one_line_says_so_and_the_status_is_that_of_a_skipped_test(tmp_path: Path) -> None:
    ran = on_kernel("6.1", "uname -r", path=tmp_path)

    assert (ran.returncode, ran.stdout) == (77, "")
    assert ran.stderr.splitlines() == [
        "on-kernel: skipped: qemu-system-x86_64 is missing (Debian: qemu-system-x86 busybox-static cpio xz-utils kmod)"
    ]


def test_without_apt_one_line_says_so(tmp_path: Path) -> None:
    for program in ("qemu-system-x86_64", "busybox", "cpio", "xz", "depmod", "modprobe", "timeout"):
        (tmp_path / program).symlink_to("/bin/true")
    for program in ("mktemp", "rm", "find", "sort", "tail"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))

    ran = on_kernel("6.1", "uname -r", path=tmp_path)

    assert ran.returncode == 77
    assert ran.stderr.splitlines() == ["on-kernel: skipped: no apt-get here to fetch Linux 6.1 with"]


def test_it_wants_a_series_and_a_command(tmp_path: Path) -> None:
    (tmp_path / "sed").symlink_to(str(shutil.which("sed")))

    ran = on_kernel("6.1", path=tmp_path)

    assert ran.returncode == 2
    assert ran.stderr.startswith("on-kernel SERIES COMMAND: ")
