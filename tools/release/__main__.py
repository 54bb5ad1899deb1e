"""`make dist`: everything that is installed anywhere, into dist/."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.release import contents, debian, library, share, single_file
from tools.release.source import ROOT, Source, source_of


def main() -> None:
    """Make the artifacts and say what and how large they are."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="a folder, emptied first (default: dist)")
    into: Path = parser.parse_args().into
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    make(source_of(ROOT), into.resolve())
    for path in sorted(into.iterdir()):
        print(f"{path.stat().st_size / 1000:>8,.0f} kB  {path.name}")


def make(source: Source, into: Path) -> None:
    """Fill the empty folder `into`."""
    wheel = _wheel_and_sdist(source, into)
    with tempfile.TemporaryDirectory() as scratch:
        laid_out, shared = Path(scratch, "library"), Path(scratch, "share")
        command: list[str | Path] = [sys.executable, "-m", "tools.release.share", "--into", shared]
        subprocess.run(command, cwd=source.root, check=True, env=source.environment)
        share.pack(shared, source, into)
        library.lay_out(source, wheel, laid_out)
        single_file.pack(laid_out, source.epoch_s, into / "portgauge-agent")
        if missing := debian.missing_tools():
            print(f"no Debian package: {', '.join(missing)} not found (make deps, on Debian)", file=sys.stderr)
        else:
            debian.build(source, laid_out, shared, into)
    for side in contents.SIDES:
        contents.bill_of_materials(source, side, into)
    contents.write_sums(into)


def _wheel_and_sdist(source: Source, into: Path) -> Path:
    command: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "--directory", into]
    subprocess.run(command, cwd=source.root, check=True, env=source.environment, stdout=subprocess.DEVNULL)
    (wheel,) = into.glob("*.whl")
    return wheel


if __name__ == "__main__":
    main()
