"""Files as Zstandard frames and back, in bounded memory, nothing in a frame trusted.

A frame says how many bytes it holds. That is believed only as a bound: one that claims more than
the limit is refused before any of it is decompressed, and one that yields more or fewer bytes than
it claims is refused too. Window and input are bounded with it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import IO, Any, Protocol

from ..errors import DependencyError, FormatError

LEVEL = 3
SUFFIX = ".zst"
_CHUNK = 1 << 18
_LONGEST_HEADER = 18  # of a frame
_WINDOW_BYTES = 8 << 20  # what every decoder should have by RFC 8878


class Source(Protocol):
    """Where bytes come from: a binary file, the body of an answer."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


def require() -> None:
    """Loads nothing.

    Raises:
        DependencyError: Zstandard is not installed.
    """
    if find_spec("zstandard") is None:
        raise DependencyError(
            "compressed traces need the package zstandard, which is not installed",
            code="ZSTANDARD_MISSING",
            hint="pip install 'phasic[remote]'",
        )


def compress(source: Source, target: IO[bytes], n_bytes: int, level: int = LEVEL) -> int:
    """Writes the `n_bytes` bytes of `source` as one frame that has a checksum and says its size.

    Returns:
        The bytes written.

    Raises:
        DependencyError: Zstandard is not installed.
        FormatError: `source` has more or fewer bytes (it is being changed).

    Example:
        >>> import io
        >>> from phasic.cache.compression import compress, decompress
        >>> frame, content = io.BytesIO(), io.BytesIO()
        >>> compress(io.BytesIO(bytes(100_000)), frame, 100_000) < 100
        True
        >>> _ = frame.seek(0)
        >>> decompress(frame, content, limit=1 << 20)
        100000
    """
    zstd = _zstandard()
    compressor = zstd.ZstdCompressor(level=level, write_checksum=True)
    try:
        _, written = compressor.copy_stream(
            source, target, size=n_bytes, read_size=_CHUNK, write_size=_CHUNK
        )
    except zstd.ZstdError as error:
        raise FormatError(
            f"{n_bytes:,} bytes were to be compressed and there are more or fewer of them",
            code="FORMAT_CHANGED",
            hint="the file was written to meanwhile: try again",
        ) from error
    return written


def decompress(source: Source, target: IO[bytes], limit: int) -> int:
    """Writes what a frame holds; never more than `limit` bytes, nor more than the frame claims.

    Returns:
        The bytes written.

    Raises:
        DependencyError: Zstandard is not installed.
        FormatError: it is no frame (`FORMAT_COMPRESSED`), or one of more than `limit` bytes
            (`FORMAT_TOO_LARGE`).
    """
    zstd = _zstandard()
    body = _Bounded(source)
    claimed = body.claim(zstd, limit)
    reader = zstd.ZstdDecompressor(max_window_size=_WINDOW_BYTES).stream_reader(
        body, read_size=_CHUNK, read_across_frames=True
    )
    n_bytes = 0
    try:
        while chunk := reader.read(_CHUNK):
            n_bytes += len(chunk)
            if n_bytes > claimed:
                raise _bad(f"holds more than the {claimed:,} bytes that it claims")
            target.write(chunk)
    except zstd.ZstdError as error:
        raise _bad(f"cannot be decompressed: {error}") from error
    if n_bytes < claimed:
        raise _bad(f"ends after {n_bytes:,} of the {claimed:,} bytes that it claims")
    return n_bytes


def claimed(source: Source) -> int:
    """How many bytes a frame says that it holds; nothing of it is decompressed.

    Raises:
        DependencyError: Zstandard is not installed.
        FormatError: it is no frame, or does not say.
    """
    return _Bounded(source).claim(_zstandard(), sys.maxsize)


class _Bounded:
    """A source that has no more bytes than a frame of its claimed size can need."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._head = b""
        self._left = 0

    def claim(self, zstd: Any, limit: int) -> int:
        """How many bytes the frame says that it holds."""
        while len(self._head) < _LONGEST_HEADER:
            more = self._source.read(_LONGEST_HEADER - len(self._head))
            if not more:
                break
            self._head += more
        try:
            about = zstd.get_frame_parameters(self._head)
        except zstd.ZstdError as error:
            raise _bad("does not start with the header of a frame") from error
        claimed: int = about.content_size
        if claimed == zstd.CONTENTSIZE_UNKNOWN:
            raise _bad("does not say how many bytes it holds")
        if claimed > limit:
            raise FormatError(
                f"the compressed data claim to hold {claimed:,} bytes, more than {limit:,}",
                code="FORMAT_TOO_LARGE",
                hint="raise max_trace_bytes (PHASIC_MAX_TRACE_BYTES) if that is right",
            )
        # What cannot be compressed gets longer by 3 bytes a block; this is generous.
        self._left = claimed + (claimed >> 7) + (1 << 10)
        return claimed

    def read(self, size: int) -> bytes:
        if self._head:
            chunk, self._head = self._head, b""
        else:
            chunk = self._source.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise _bad("go on for longer than what they claim to hold can need")
        return chunk


def _bad(problem: str) -> FormatError:
    return FormatError(
        f"the compressed data {problem}",
        code="FORMAT_COMPRESSED",
        hint="it is damaged, or no trace: remove it, and it is made again when it is wanted",
    )


def _zstandard() -> Any:
    require()
    import zstandard

    return zstandard
