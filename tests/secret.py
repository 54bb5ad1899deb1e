"""Files that only their owner may read, as tokens and private keys have to be."""

from pathlib import Path


def a_secret(path: Path, content: str | bytes) -> Path:
    """Write it, 0600 from the start, and answer where."""
    path.touch(mode=0o600)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
