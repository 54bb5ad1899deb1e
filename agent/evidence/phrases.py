"""What proxies and runtimes log when connect() finds no port, and what of it tells which pool. Pure.

Only the part that was recognised is kept: the rest of a line may hold a client's address or what it asked for.
"""

import re
from typing import Final, NamedTuple

from shared.addresses import InvalidAddress, parse_ip
from shared.ports import HIGHEST_PORT

LONGEST_LINE: Final = 4_096
"""Characters of a line that are looked at."""
MOST_CHARS: Final = 200


class Phrase(NamedTuple):
    """One line that says so."""

    program: str
    """Who says it, as its process is called; empty where any program may."""
    text: str
    """The words, without whom they served."""
    peer: bytes = b""
    """The destination, 4 or 16 bytes; empty where the words do not say."""
    peer_port: int = 0


_PEER = r"(?P<peer>\[?[0-9a-fA-F:.]+\]?):(?P<port>\d{1,5})"
_NO_PORT = r"(?:99: )?[Cc]annot assign requested address|EADDRNOTAVAIL"
_PATTERNS: Final = tuple(
    (program, re.compile(pattern))
    for program, pattern in (
        # proto_tcp.c: EADDRNOTAVAIL or EAGAIN is the first, EADDRINUSE the second.
        ("haproxy", r"Connect\(\) failed for backend \S+: (?:no free ports|local address already in use)"),
        ("haproxy", r"Cannot bind to (?:tproxy )?source address before connect\(\) for backend \S+"),
        ("nginx", rf"connect\(\) to {_PEER} failed \(99: [^)]*\)"),
        ("nginx", r"bind\([0-9a-fA-F:.]+\) failed \(9[89]: [^)]*\) while connecting to upstream"),
        ("envoy", rf"immediate connect error: (?:{_NO_PORT}|99)(?:\|remote address:{_PEER})?"),
        ("envoy", rf"[Bb]ind failure\. Failed to bind to \S+: (?:{_NO_PORT}|[Aa]ddress already in use)"),
        # Go, Node, and what most others make of strerror(3).
        ("", rf"dial (?:tcp|udp)[46]? {_PEER}: (?:connect|bind): (?:{_NO_PORT}|address already in use)"),
        ("", rf"connect (?:EADDRNOTAVAIL|EADDRINUSE) {_PEER}"),
        ("", rf"\b[Cc]onnect\b[][ :\w.-]{{0,60}}?(?:{_NO_PORT}|EADDRINUSE)"),
        ("", r"Cannot assign requested address \(connect failed\)"),
    )
)
# Cheap to rule out what nearly every line is.
_HINT: Final = re.compile(r"(?i:free ports|already in use|source address before|assign requested|EADDR|connect error)")


def recognise(line: str) -> Phrase | None:
    """What the line says of connect() without a port; None where it says nothing of the kind."""
    line = line[:LONGEST_LINE]
    if not _HINT.search(line):
        return None
    for program, pattern in _PATTERNS:
        found = pattern.search(line)
        if found:
            peer, port = _destination(found.groupdict())
            return Phrase(program, _printable(found.group())[:MOST_CHARS], peer, port)
    return None


def _destination(groups: dict[str, str | None]) -> tuple[bytes, int]:
    text, port = groups.get("peer"), int(groups.get("port") or 0)
    try:
        return (parse_ip(text.strip("[]")), port) if text and 0 < port <= HIGHEST_PORT else (b"", 0)
    except InvalidAddress:
        return b"", 0


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
