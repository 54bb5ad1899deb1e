"""Questions to the collector's API, with a token that may read. The edge."""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from agent.secret_file import read_secret
from shared.answer import answer_of
from shared.errors import PortgaugeError

PATIENCE_S = 10.0


class NoAnswer(PortgaugeError):
    """The collector cannot be asked. Says what to do where that is known."""


@dataclass(frozen=True, slots=True)
class Collector:
    """`base` is its URL without a path, `token` of the scope `read`."""

    base: str
    token: str
    tls: ssl.SSLContext | None = None

    def items(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """The items of one list: all of its pages, or the first where `limit` bounds them.

        Raises NoAnswer or NotUnderstood; the latter also whoever asks an item for a key that it has not.
        """
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            items, after = self._page(path, query | cursor)
            found += items
            if "limit" in query or not after:
                return found
            cursor = {"cursor": after}

    def _page(self, path: str, query: Mapping[str, str | int]) -> tuple[list[dict[str, Any]], str | None]:
        """The items, and the cursor of the next page: none at the end, nor of what never comes in pages."""
        url = f"{self.base.rstrip('/')}{path}?{urlencode(query)}"
        request = Request(url, headers={"Authorization": f"Bearer {self.token}"})  # noqa: S310 - opened() asks for http
        try:
            with urlopen(request, timeout=PATIENCE_S, context=self.tls) as answer:  # noqa: S310
                page = answer_of(answer.read(), f"{self.base.rstrip('/')}{path}")
                return page["items"], page.get("next")
        except HTTPError as error:
            with error:
                hint = "; a token of the scope read is needed" if error.code in {401, 403} else ""
                raise NoAnswer(f"{self.base}{path} answers {error.code}{hint}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NoAnswer(f"{self.base}{path}: {getattr(error, 'reason', error)}") from error


def opened(base: str, token_file: Path, ca: Path | None) -> Collector:
    """A collector to ask. Raises NoAnswer, or SecretExposed for a token file that others can read."""
    if urlsplit(base).scheme not in {"http", "https"}:
        raise NoAnswer(f"{base!r} is not a collector's address, like http://127.0.0.1:8766")
    try:
        token = read_secret(token_file).partition("\n")[0].strip()
        tls = ssl.create_default_context(cafile=str(ca)) if ca else None
    except (OSError, UnicodeDecodeError) as error:
        raise NoAnswer(f"{ca or token_file}: {error}") from error
    return Collector(base, token, tls)
