"""The shape of the project is checked like its behaviour."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent", "collector", "shared")
GROUPED = {
    "agent/commands": "tests/unit/agent/commands/test_commands.py",
    "shared/wire": "tests/unit/shared/wire/test_wire.py",
}
"""Folders whose modules are tested through their one door."""
NOT_ON_HOSTS = (
    "collector",
    "sqlalchemy",
    "alembic",
    "aiosqlite",
    "asyncpg",
    "jinja2",
    "matplotlib",
    "numpy",
    "prometheus_client",
    "psutil",
    "pyroute2",
    "zstandard",
)


def modules() -> list[Path]:
    found = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path for path in found if path.name not in {"__init__.py", "__main__.py"})


def places_for(module: Path) -> list[Path]:
    """Where the tests of a module may stand: mirrored in unit/, or in contract/ or integration/ where it is an edge."""
    mirrored = module.parent / f"test_{module.name}"
    places = [Path("tests") / kind / mirrored for kind in ("unit", "contract", "integration")]
    grouped = GROUPED.get(str(module.parent))
    return [*places, Path(grouped)] if grouped else places


@pytest.mark.parametrize("module", modules(), ids=str)
def test_every_module_has_its_tests(module: Path) -> None:
    assert any((ROOT / place).exists() for place in places_for(module)), (
        f"one of {[str(p) for p in places_for(module)]}"
    )


@pytest.mark.parametrize("module", modules(), ids=str)
def test_every_module_opens_with_its_idea(module: Path) -> None:
    assert (ROOT / module).read_text().startswith('"""')


def test_the_agent_runs_without_the_collectors_packages() -> None:
    """A host gets aiohttp and msgpack; anything else imported there would be missing."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {NOT_ON_HOSTS!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import pkgutil, importlib, agent\n"
        "names = [m.name for m in pkgutil.walk_packages(agent.__path__, 'agent.') if not m.name.endswith('__main__')]\n"
        "[importlib.import_module(name) for name in names]\n"
        "print(len(names))\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)

    assert done.stderr == ""
    assert int(done.stdout) > 20
