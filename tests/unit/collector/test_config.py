"""Configuration."""

from pathlib import Path

import pytest

from collector.alerts.builtin import BUILT_IN
from collector.config import Config, InvalidConfig, choose_database, default_database, parse_listen
from shared.settings import SettingsError, load


def configured(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "collector.toml"
    file.write_text(text)
    return load(Config, file)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert configured(tmp_path, "") == Config()
    assert Config().rule == BUILT_IN


def test_rules_and_webhooks_are_tables(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        """
        retention_hours = 1
        [[rule]]
        name = "warm"
        severity = "plan"
        raise_at = 0.7
        clear_at = 0.6
        hold_s = 0.5
        [[channel]]
        name = "ops"
        url = "http://127.0.0.1:9/notice"
        """,
    )
    assert [rule.name for rule in config.rule] == ["warm"]
    assert config.channel[0].severities == ("plan", "page")
    assert config.retention_hours == 1.0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("retention_hour = 1", "did you mean 'retention_hours'"),
        ("retention_hours = 0", "above 0"),
        ('digest_at = "7 am"', "toml:1: digest_at: .*HH:MM"),
        ("retention_hours = nan", "above 0"),
        ("metrics_pools = 1001", "metrics_pools: a number from 0 to 1000"),
        ('log_level = "loud"', "log_level: one of debug"),
        ('role = "king"', "role: one of all, ingest, leader"),
        ('listen = "8766"', "HOST:PORT"),
        ('[[channel]]\nname = "a"\nurl = "http://"', r"toml:3: channel\[0\]\.url: .*https://"),
        ('[[channel]]\nname = "a"', "url, or url_file"),
        ('[[rule]]\nname = "x"\nseverity = "page"\nraise_at = 1\nchannels = ["lgo"]', r"toml:5: .*did you mean 'log'"),
        ('[[channel]]\nurl = "http://x"\nname = "log"', "other than 'log'"),
        ('[[channel]]\nname = "a"\nurl = "http://x"\ntimeout_s = 0', "timeout_s"),
        ('[[channel]]\nname = "a"\nurl = "http://x"\n[[channel]]\nname = "a"\nurl = "http://y"', "two are named 'a'"),
        ("[[rule]]\nname = 'x'", r"rule\[0\]\.severity: is required"),
        ("listen = ", "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_mend(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        configured(tmp_path, text)


RULES = """
[[rule]]
name = "a"
severity = "page"
raise_at = 0.7

[[rule]]
name = "b"
severity = "page"
raise_at = 0.7
[rule.where]
kind = ["connect"]
"""


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ('"page"', '"pgae"', r"toml:4: rule\[0\]\.severity: .*did you mean 'page'"),
        ("raise_at", "raise_att", r"toml:5: rule\[0\]\.raise_att: .*did you mean 'raise_at'"),
        ("connect", "conect", r"toml:12: rule\[1\]\.where\.kind: .*did you mean 'connect'"),
        ("kind", "kid", r"toml:12: rule\[1\]\.where\.kid: .*did you mean 'kind'"),
        ("[rule.where]", "[rule.were]", r"toml:\d+: rule\[1\]\.were: .*did you mean 'where'"),
        ('name = "b"', "", r"toml:7: rule\[1\]\.name: is required"),
    ],
)
def test_a_mistake_in_a_rule_is_named_with_line_key_and_nearest_name(
    tmp_path: Path, right: str, wrong: str, why: str
) -> None:
    with pytest.raises(SettingsError, match=why):
        configured(tmp_path, RULES.replace(right, wrong, 1))


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8766", ("127.0.0.1", 8766)), ("[::1]:0", ("::1", 0)), ("localhost:80", ("localhost", 80))],
)
def test_an_address_to_listen_on(text: str, address: tuple[str, int]) -> None:
    assert parse_listen(text) == address


@pytest.mark.parametrize("text", ["", ":80", "host", "host:", "host:http", "host:65536", "::1:80", "host:-1", "host:٣"])
def test_what_is_no_address_to_listen_on(text: str) -> None:
    with pytest.raises(InvalidConfig, match="HOST:PORT"):
        parse_listen(text)


def test_the_flag_goes_before_the_environment_before_the_file_before_the_default() -> None:
    environment = {"PORTGAUGE_DATABASE": "env.db"}
    assert choose_database("flag.db", environment, "file.db") == "flag.db"
    assert choose_database(None, environment, "file.db") == "env.db"
    assert choose_database(None, {}, "file.db") == "file.db"
    assert choose_database(None, {"XDG_STATE_HOME": "/state"}) == "/state/portgauge/history.db"


def test_the_default_database_follows_the_xdg_specification() -> None:
    fallback = Path.home() / ".local/state/portgauge/history.db"
    assert default_database({}) == fallback
    assert default_database({"XDG_STATE_HOME": "not/absolute"}) == fallback
