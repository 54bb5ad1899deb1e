"""A log line is one line, whatever goes into it."""

import json
import logging
import time

import pytest

from shared.logs import MOST_KEYS, JsonFormatter, KeyValueFormatter, Repeats, configure, fields


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
    configure(level="warning", as_json=True)
    logging.getLogger("x").info("quiet")
    logging.getLogger("x").warning("loud", extra=fields(n=1))

    assert json.loads(capsys.readouterr().err)["message"] == "loud"


def at(seconds: float, message: str = "no sample", level: int = logging.WARNING, **facts: object) -> logging.LogRecord:
    record = a_record(message, **facts)
    record.created, record.levelno = seconds, level
    return record


def test_what_was_said_is_not_said_again_within_the_window() -> None:
    repeats = Repeats(60)

    assert repeats.is_news(at(0, why="refused"))
    assert not any(repeats.is_news(at(second, why="refused")) for second in range(1, 58))
    assert list(repeats.over(59.9)) == []
    (summary,) = repeats.over(60)
    assert KeyValueFormatter().format(summary).endswith("no sample … repeated 57 times why=refused")
    assert repeats.is_news(at(61, why="refused"))


def test_other_facts_are_news_and_other_numbers_are_not() -> None:
    repeats = Repeats(60)
    assert repeats.is_news(at(0, why="refused", seq=1))

    assert repeats.is_news(at(1, why="gone", seq=1))
    assert repeats.is_news(at(1, why="refused", seq=1, level=logging.ERROR))
    assert not repeats.is_news(at(1, why="refused", seq=2))


def test_debug_is_always_told() -> None:
    repeats = Repeats(60)

    assert all(repeats.is_news(at(0, level=logging.DEBUG)) for _ in range(3))


def test_what_did_not_come_again_is_forgotten_without_a_word() -> None:
    repeats = Repeats(60)
    repeats.is_news(at(0))

    assert list(repeats.over(100)) == []
    assert repeats.is_news(at(100))


def test_a_storm_of_different_events_takes_no_memory_for_ever() -> None:
    repeats = Repeats(1e9)
    for number in range(3 * MOST_KEYS):
        list(repeats.over(number))
        repeats.is_news(at(number, why=f"reason {number}"))

    assert len(repeats._seen) <= MOST_KEYS + 1


def test_repeats_are_counted_when_the_process_ends(capsys: pytest.CaptureFixture[str]) -> None:
    configure(repeats_s=3600)
    for number in range(5):
        logging.getLogger("x").warning("again and again", extra=fields(n=number))
    logging.getLogger("x").warning("once")
    logging.getLogger().handlers[0].close()

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[2].endswith("again and again … repeated 4 times n=0")


def test_repeats_are_told_when_the_window_is_over_though_nothing_else_happens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(repeats_s=0.1)
    logging.getLogger("x").warning("again")
    logging.getLogger("x").warning("again")

    told, deadline_s = "", time.monotonic() + 30
    while "repeated once" not in told:
        assert time.monotonic() < deadline_s, told
        time.sleep(0.02)
        told += capsys.readouterr().err
