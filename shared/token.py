"""Tokens as text. Both sides make them: an agent that is let in, or renews its token, makes the new one itself.

`pg_<id>_<secret>`: the id finds the row, the secret proves the right to use it. A secret has 256 random bits, so one
round of SHA-256 is as good as a slow hash: there is no dictionary to try.
"""

import hashlib
import re
import secrets

ID = re.compile(r"[0-9a-f]{12}", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TOKEN = re.compile(rf"pg_({ID.pattern})_([A-Za-z0-9_-]{{43}})", re.ASCII)


def new_token() -> str:
    """One that nobody has."""
    return f"pg_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}"


def parse(text: str) -> tuple[str, str] | None:
    """(id, secret), or None where the text cannot be a token."""
    match = _TOKEN.fullmatch(text)
    return (match[1], match[2]) if match else None


def digest_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()
