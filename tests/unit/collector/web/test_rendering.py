"""Templates and times."""

from collector.web.rendering import HEADERS, moment, rendered
from tests.builders import NOON_MS


def test_a_time_is_for_scripts_for_people_and_for_hovering() -> None:
    text = "2026-11-22 12:00:00 UTC"
    assert str(moment(NOON_MS)) == f'<time datetime="2026-11-22T12:00:00Z" title="{text}">{text}</time>'


def test_everything_is_escaped_and_kept_by_nobody() -> None:
    response = rendered("login.html", 401, message="<b>", next='"><script>')
    assert "&lt;b&gt;" in (response.text or "")
    assert "<script>" not in (response.text or "")
    assert response.headers["Cache-Control"] == HEADERS["Cache-Control"] == "no-store"
