"""Parameters as they are documented."""

from collector.api.parameters import choice, limit, text


def test_bounds_and_defaults_are_said() -> None:
    assert limit(100, 500).schema == {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}


def test_a_choice_lists_its_words() -> None:
    assert choice("order", "how", ("a", "b")).schema["enum"] == ["a", "b"]


def test_a_text_has_an_example() -> None:
    assert text("peer", "whose", "10.0.0.2:8080", is_required=True).example == "10.0.0.2:8080"
