"""Asking a running collector: its address, a token that reads, and its problems in one line."""

import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from shared.answer import Answer, answer_of
from shared.errors import PortgaugeError

URL_VARIABLE, TOKEN_VARIABLE = "PORTGAUGE_URL", "PORTGAUGE_TOKEN_FILE"
DEFAULT_URL = "http://127.0.0.1:8766"
TIMEOUT_S = 60
PAGE = 1_000
"""Items asked for at a time."""
UNKNOWN_PATH = "urn:portgauge:problem:not-found"
UNKNOWN_PARAMETER = ("unknown parameter", "no parameters are known")
"""What a collector says of an option that came after it: this version's knows all that its commands send."""


class CannotAsk(PortgaugeError):
    """There is no collector to ask, or it does not answer the question."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where to ask, and as whom."""

    url: str
    token: str
    ca: Path | None = None

    def ask(self, path: str, query: Mapping[str, str]) -> Answer:
        """The answer's document. Raises CannotAsk with what the collector says of the question, or NotUnderstood."""
        with self.open(path, query) as response:
            return answer_of(response.read(), self.place(path))

    def ask_whole(self, path: str, query: Mapping[str, str], most: int | None = None) -> Answer:
        """A list over all of its pages, or its first `most` items. Raises CannotAsk or NotUnderstood."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            left = PAGE if most is None else min(PAGE, most - len(items))
            page = self.ask(path, {**query, **cursor, "limit": str(left)})
            items += page["items"]
            after = page.get("next")
            if not after or len(items) == most:
                return Answer({"items": items, "next": after}, self.place(path))
            cursor = {"cursor": after}

    @contextmanager
    def open(
        self, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> Iterator[HTTPResponse]:
        """The answer as it arrives, to a GET, or a POST of this body as JSON. Raises CannotAsk."""
        url = f"{self.place(path)}?{urllib.parse.urlencode(query)}"
        if not url.startswith(("http://", "https://")):
            raise CannotAsk(f"{self.url!r} is no address of a collector, like {DEFAULT_URL}")
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(url, data, headers)  # noqa: S310 - http(s)
        except ValueError as error:
            raise CannotAsk(f"{self.url!r} is no address of a collector: {error}") from None
        tls = ssl.create_default_context(cafile=self.ca) if url.startswith("https://") else None
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=tls) as response:  # noqa: S310
                yield response
        except urllib.error.HTTPError as error:
            raise CannotAsk(_detail(error, self.place(path))) from None
        except HTTPException:
            raise CannotAsk(f"{self.url} broke off in the middle of its answer") from None
        except OSError as error:  # URLError among them.
            raise CannotAsk(f"{self.url} does not answer: {getattr(error, 'reason', error)}") from None

    def place(self, path: str) -> str:
        """Where that is asked."""
        return f"{self.url.rstrip('/')}{path}"


def client_of(url: str | None, token_file: Path | None, ca: Path | None) -> Client:
    """What the options and the environment say. Raises CannotAsk."""
    file = token_file or (Path(os.environ[TOKEN_VARIABLE]) if os.environ.get(TOKEN_VARIABLE) else None)
    if file is None:
        raise CannotAsk(
            f"a token that reads is needed: --token-file FILE or {TOKEN_VARIABLE}; make one with:"
            " portgauge-collector token create --scope read"
        )
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotAsk(f"the token file {file} cannot be read: {error}") from None
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise CannotAsk(f"the token file {file} holds no token; it is one line like pg_…")
    return Client(url or os.environ.get(URL_VARIABLE) or DEFAULT_URL, token, ca)


def _detail(error: urllib.error.HTTPError, place: str) -> str:
    """What the collector says of it; where it does not know the question, why that may be."""
    try:
        problem = json.load(error)
        kind, detail = problem.get("type"), str(problem["detail"])
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        kind, detail = UNKNOWN_PATH, str(error.reason)
    told = f"{detail} (status {error.code})"
    is_unknown = error.code == HTTPStatus.NOT_FOUND and kind == UNKNOWN_PATH
    if is_unknown or (error.code == HTTPStatus.BAD_REQUEST and any(one in detail for one in UNKNOWN_PARAMETER)):
        return f"{place}: {told}; a collector that is older than this command is to be upgraded first"
    return told
