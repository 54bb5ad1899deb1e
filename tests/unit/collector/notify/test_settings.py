"""How a channel is configured."""

from pathlib import Path

import pytest

from collector.notify.settings import ChannelSettings, SecretUnavailable, resolve
from shared.settings import InvalidValue
from tests.secret import a_secret


def test_secrets_come_from_the_environment() -> None:
    settings = ChannelSettings(name="ops", url="slack://${SLACK_TOKEN}/ops", secret="${KEY}")
    resolved = resolve(settings, {"SLACK_TOKEN": "T0/B0/x", "KEY": "k"})
    assert (resolved.url, resolved.secret) == ("slack://T0/B0/x/ops", b"k")


def test_secrets_come_from_files(tmp_path: Path) -> None:
    url = a_secret(tmp_path / "url", "https://hooks.example/T0")
    key = a_secret(tmp_path / "key", "k")
    resolved = resolve(ChannelSettings(name="ops", url_file=url, secret_file=key), {})
    assert (resolved.url, resolved.secret) == ("https://hooks.example/T0", b"k")


def test_what_is_missing_is_named_and_never_shown(tmp_path: Path) -> None:
    with pytest.raises(SecretUnavailable, match="channel 'ops': the environment has no TOKEN"):
        resolve(ChannelSettings(name="ops", url="slack://${TOKEN}/sEcReT"), {})
    with pytest.raises(SecretUnavailable, match="cannot be read"):
        resolve(ChannelSettings(name="ops", url_file=tmp_path / "none"), {})
    with pytest.raises(SecretUnavailable, match="is empty"):
        resolve(ChannelSettings(name="ops", url_file=a_secret(tmp_path / "empty", "")), {})


def test_a_file_that_everybody_can_read_holds_no_secret(tmp_path: Path) -> None:
    file = a_secret(tmp_path / "url", "https://hooks.example/T0")
    file.chmod(0o644)
    with pytest.raises(SecretUnavailable, match="chmod 600") as caught:
        resolve(ChannelSettings(name="ops", url_file=file), {})
    assert "T0" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "log"}, "other than 'log'"),
        ({"name": ""}, "printable"),
        ({"url": ""}, "an address is needed"),
        ({"url": "nowhere"}, "an address like"),
        ({"url": "alertmanager+http://"}, "an address like"),
        ({"url_file": Path("x")}, "not both"),
        ({"severities": ("pgae",)}, "did you mean 'page'"),
        ({"digests": ("dayly",)}, "did you mean 'daily'"),
        ({"timeout_s": 61.0}, "at most 60"),
        ({"heartbeat_s": -1.0}, "0 or more"),
    ],
)
def test_a_channel_that_could_never_work_is_refused(changes: dict[str, object], why: str) -> None:
    values = {"name": "ops", "url": "https://hooks.example/"} | changes
    with pytest.raises(InvalidValue, match=why):
        ChannelSettings(**values)  # type: ignore[arg-type] # some are wrong on purpose


def test_an_alertmanager_takes_no_reports() -> None:
    settings = ChannelSettings(name="am", url="${AM}", digests=("weekly",))
    with pytest.raises(InvalidValue, match="takes alerts, not reports"):
        resolve(settings, {"AM": "alertmanager+http://am:9093"})
