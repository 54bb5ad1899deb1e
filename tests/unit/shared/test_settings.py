"""Every mistake in a configuration file is named with its place and its mend."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.errors import PortgaugeError
from shared.settings import SettingsError, build, load


class TooMany(PortgaugeError):
    pass


@dataclass(frozen=True)
class Inner:
    url: str
    retries: int = 3


@dataclass(frozen=True)
class Outer:
    name: str
    interval_s: float = 10.0
    spool_dir: Path = Path("/var")
    quiet: bool = False
    note: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    hooks: tuple[Inner, ...] = ()
    inner: Inner = Inner("x")

    def __post_init__(self) -> None:
        if self.interval_s > 1000:
            raise TooMany("interval_s: at most 1000")


def loaded(tmp_path: Path, text: str) -> Outer:
    path = tmp_path / "c.toml"
    path.write_text(text)
    return load(Outer, path)


def test_a_file_becomes_typed_values_with_defaults_for_the_rest(tmp_path: Path) -> None:
    made = loaded(
        tmp_path,
        'name="a"\ninterval_s=2\nspool_dir="/srv/x"\nnote="n"\nlabels={role="edge"}\n[[hooks]]\nurl="u"\n',
    )

    assert made == Outer("a", 2.0, Path("/srv/x"), note="n", labels={"role": "edge"}, hooks=(Inner("u"),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name="a"\nintervall_s=2', "intervall_s: unknown key; did you mean 'interval_s'?"),
        ('name="a"\nzzz=2', "zzz: unknown key; known keys: name, interval_s"),
        ("", "name: is required"),
        ("name=3", "name: a text is needed, not 3"),
        ('name="a"\nquiet=1', "quiet: true or false is needed"),
        ('name="a"\ninterval_s=true', "interval_s: a number is needed"),
        ('name="a"\ninner=1', "inner: a table is needed"),
        ('name="a"\n[inner]\nurl="u"\nretires=1', "inner.retires: unknown key; did you mean 'retries'?"),
        ('name="a"\n[[hooks]]\nretries=1', "hooks[0].url: is required"),
        ('name="a"\nlabels={a=1}', "labels.a: a text is needed"),
        ('name="a"\ninterval_s=1001', "interval_s: at most 1000"),
        ("name=", "is not TOML"),
    ],
)
def test_each_mistake_is_named_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)

    assert message in str(caught.value)
    assert str(tmp_path / "c.toml") in str(caught.value)


def test_a_missing_or_unreadable_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(Outer, tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="Is a directory"):
        load(Outer, tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'name="\xe9"')
    with pytest.raises(SettingsError, match="UTF-8"):
        load(Outer, tmp_path / "latin.toml")


def test_values_from_elsewhere_are_held_to_the_same_rules() -> None:
    with pytest.raises(SettingsError, match="command line: name: is required"):
        build(Outer, {}, "command line")
