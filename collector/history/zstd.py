"""zstd frames that say their length, inflated to that and not a byte more. Pure.

Making a context takes as long as inflating some 20 KB, and one may not be shared by threads: each thread keeps its own.
"""

import threading

import zstandard

from collector.history.chunk import CorruptChunk


class _Contexts(threading.local):
    def __init__(self) -> None:
        self.decompressor = zstandard.ZstdDecompressor()


_contexts = _Contexts()


def deflate(data: bytes, level: int) -> bytes:
    """One frame."""
    return zstandard.ZstdCompressor(level=level, write_checksum=False).compress(data)


def inflate(data: bytes | memoryview, most: int) -> bytes:
    """Undo `deflate`. Raises CorruptChunk, also past `most` bytes: the library would believe what a frame claims."""
    try:
        size = zstandard.frame_content_size(data)
        if not 0 <= size <= most:
            raise CorruptChunk("a frame inflates to more than it may")
        return _contexts.decompressor.decompress(data)
    except zstandard.ZstdError as error:
        raise CorruptChunk(str(error)) from None
