"""The text format, to the letter."""

from agent.exposition import Family, by, single, text_of


def test_a_family_is_its_help_its_type_and_its_series() -> None:
    samples = Family("x_samples_total", "counter", "Samples.", by("reason", {"due": 3, "hot": 0}))

    assert text_of([samples]) == (
        "# HELP x_samples_total Samples.\n"
        "# TYPE x_samples_total counter\n"
        'x_samples_total{reason="due"} 3\n'
        'x_samples_total{reason="hot"} 0\n'
    )


def test_what_is_not_known_has_no_series() -> None:
    """A zero would be a lie."""
    assert text_of([single("x", "gauge", "X.", None)]) == ""
    assert text_of([single("x", "gauge", "X.", 0.5)]).endswith("\nx 0.5\n")


def test_hostile_label_values_stay_within_their_quotes() -> None:
    assert text_of([Family("x", "gauge", "X.", by("netns", {'a"} 1\n\\': 1}))]).endswith(
        'x{netns="a\\"} 1\\n\\\\"} 1\n'
    )
