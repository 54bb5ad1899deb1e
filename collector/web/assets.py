"""Files that browsers keep: each under a name that changes with its content."""

import hashlib
from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
YEAR_S = 365 * 24 * 3600
_BODIES = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
_HASHES = {name: hashlib.sha256(body).hexdigest()[:16] for name, body in _BODIES.items()}


def asset_link(name: str) -> str:
    """Where the file is found as it is now."""
    return f"/static/{_HASHES[name]}/{name}"


async def serve_asset(request: web.Request) -> web.Response:
    """The file, to be kept for a year under the name of its content; 304 to whoever has it."""
    name, tag = request.match_info["name"], request.match_info["hash"]
    if _HASHES.get(name) != tag:
        raise web.HTTPNotFound
    headers = {
        "Cache-Control": f"public, max-age={YEAR_S}, immutable",
        "ETag": f'"{tag}"',
        "X-Content-Type-Options": "nosniff",
    }
    if any(known.value == tag for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=_BODIES[name], content_type=_TYPES[Path(name).suffix], charset="utf-8", headers=headers)
