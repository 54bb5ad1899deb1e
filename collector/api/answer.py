"""Answers as JSON, and those that a client has already: ETag and If-None-Match."""

import hashlib

import msgspec
from aiohttp import web

JSON = "application/json"


def told(document: object, status: int = 200) -> web.Response:
    """The document as JSON: dicts, lists, dataclasses and what they hold."""
    return _response(msgspec.json.encode(document), status)


def told_if_changed(request: web.Request, document: object) -> web.Response:
    """The document with its ETag; 304 without it where the request's If-None-Match says that it is known.

    For configuration: what is asked for again and again and seldom changes. Mark its operation `is_conditional`.
    """
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    etag = etag_of(body)
    is_known = any(one.value in {etag, "*"} for one in request.if_none_match or ())
    response = web.Response(status=304) if is_known else _response(body, 200)
    response.etag = etag
    response.headers["Cache-Control"] = "no-cache"
    return response


def etag_of(body: bytes) -> str:
    """The same for the same bytes, whichever collector is asked."""
    return hashlib.sha256(body).hexdigest()[:32]


def _response(body: bytes, status: int) -> web.Response:
    return web.Response(body=body, status=status, content_type=JSON, charset="utf-8")
