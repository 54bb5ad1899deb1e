"""A log line is one line, whatever goes into it."""

import json
import logging

import pytest

from shared.logs import JsonFormatter, KeyValueFormatter, configure, fields


def a_record(message: str = "pushed", **facts: object) -> logging.LogRecord:
    record = logging.LogRecord("agent.push", logging.INFO, __file__, 1, message, (), None)
    record.created = 1_795_338_000.123
    record.__dict__.update(fields(**facts))
    return record


def test_facts_follow_the_message_as_key_value_pairs() -> None:
    line = KeyValueFormatter().format(a_record(seq=12, why="no port left", empty=""))

    assert line == '2026-11-22T09:00:00.123Z info agent.push pushed seq=12 why="no port left" empty=""'


@pytest.mark.parametrize("hostile", ["a\nb", "a\x1b[31m", 'say "x"', "a\u2028b"])
def test_hostile_values_cannot_begin_a_new_line(hostile: str) -> None:
    line = KeyValueFormatter().format(a_record(host=hostile))

    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def test_json_lines_carry_the_facts_as_keys() -> None:
    event = json.loads(JsonFormatter().format(a_record(seq=12)))

    assert event["seq"] == 12
    assert event["message"] == "pushed"


def test_the_configured_level_and_format_hold_for_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        configure(level="warning", as_json=True)
        logging.getLogger("x").info("quiet")
        logging.getLogger("x").warning("loud", extra=fields(n=1))
    finally:
        root.handlers[:], root.level = before

    assert json.loads(capsys.readouterr().err)["message"] == "loud"
