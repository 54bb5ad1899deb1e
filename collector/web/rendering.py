"""Templates to responses: everything escaped, and a policy that lets a browser load our own files only."""

from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from collector.web.assets import asset_link
from collector.web.links import with_query

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def moment(at_ms: int) -> Markup:
    """A time that the page's script tells in the viewer's zone; without a script it is UTC, and says so."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    text = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat().replace("+00:00", "Z"), text, text)


def hour(at_ms: int) -> Markup:
    """The hour of a time, as `moment` tells times."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    text = at.strftime("%Y-%m-%d %H:%M UTC")
    stamp = at.isoformat().replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{}" data-hour>{}</time>').format(stamp, text, at.strftime("%H"))


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals |= {"asset": asset_link, "with_query": with_query, "person": None, "here": ""}
_TEMPLATES.filters |= {"moment": moment, "hour": hour}


def rendered(template: str, status: int = 200, **values: object) -> web.Response:
    """The template as a page."""
    text = _TEMPLATES.get_template(template).render(**values)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=HEADERS)
