"""Zstandard frames: what comes back, and frames that lie."""

from __future__ import annotations

import io
import os
import time
import tracemalloc

import pytest

from phasic.cache.compression import compress, decompress
from phasic.errors import FormatError

zstandard = pytest.importorskip("zstandard")
MIB = 1 << 20


def frame_of(data: bytes) -> bytes:
    frame = io.BytesIO()
    assert compress(io.BytesIO(data), frame, len(data)) == len(frame.getvalue())
    return frame.getvalue()


def content_of(frame: bytes, limit: int = 1 << 30) -> bytes:
    content = io.BytesIO()
    assert decompress(io.BytesIO(frame), content, limit) == len(content.getvalue())
    return content.getvalue()


def refused(frame: bytes, limit: int = 1 << 30) -> FormatError:
    with pytest.raises(FormatError) as caught:
        decompress(io.BytesIO(frame), io.BytesIO(), limit)
    return caught.value


@pytest.mark.parametrize("n_bytes", [0, 1, 1 << 18, (1 << 18) + 1, 3 * MIB])
@pytest.mark.parametrize("make", [bytes, os.urandom])
def test_what_goes_in_comes_out(n_bytes: int, make: type[bytes]) -> None:
    data = make(n_bytes)
    assert content_of(frame_of(data), n_bytes) == data
    assert zstandard.decompress(frame_of(data)) == data


def test_a_frame_says_its_size_and_has_a_checksum() -> None:
    about = zstandard.get_frame_parameters(frame_of(bytes(1000)))
    assert (about.content_size, about.has_checksum) == (1000, True)


@pytest.mark.parametrize("claimed", [999, 1001])
def test_a_source_of_another_length_is_refused(claimed: int) -> None:
    with pytest.raises(FormatError) as caught:
        compress(io.BytesIO(bytes(1000)), io.BytesIO(), claimed)
    assert caught.value.code == "FORMAT_CHANGED"


@pytest.mark.parametrize("n_bytes", [0, 1, 300, 1 << 18])
def test_any_truncation_is_refused(n_bytes: int) -> None:
    frame = frame_of(os.urandom(n_bytes))
    lengths = range(len(frame)) if n_bytes < 1000 else range(len(frame) - 9, len(frame))
    for length in lengths:
        assert refused(frame[:length]).code == "FORMAT_COMPRESSED"


def test_any_flipped_bit_of_the_content_is_refused_or_harmless() -> None:
    data = os.urandom(100) + bytes(100)
    frame = frame_of(data)
    for place in range(8 * len(frame)):
        other = bytearray(frame)
        other[place // 8] ^= 1 << place % 8
        content = io.BytesIO()
        try:
            decompress(io.BytesIO(bytes(other)), content, 1000)
        except FormatError:
            continue
        assert content.getvalue() == data


def test_what_follows_a_frame_is_refused() -> None:
    frame = frame_of(bytes(1000))
    for more in (b"more than four", frame):
        assert refused(frame + more).code == "FORMAT_COMPRESSED"


def test_a_frame_without_a_size_is_refused() -> None:
    frame = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(100))
    assert "how many bytes" in refused(frame).message


def claiming(frame: bytes, n_bytes: int) -> bytes:
    """The frame with another size in its header."""
    held = zstandard.get_frame_parameters(frame).content_size
    place = frame.find(held.to_bytes(4, "little"), 4, 18)
    other = frame[:place] + n_bytes.to_bytes(4, "little") + frame[place + 4 :]
    assert zstandard.get_frame_parameters(other).content_size == n_bytes
    return other


@pytest.mark.measured
def test_bombs_are_refused_at_once_and_in_little_memory() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(256 * MIB))
    assert len(bomb) < MIB / 64
    wide = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=27)
    ).compress(bytes(256 * MIB))
    for frame, limit, code in (
        (bomb, MIB, "FORMAT_TOO_LARGE"),
        (claiming(bomb, 100_000), MIB, "FORMAT_COMPRESSED"),
        (claiming(bomb, 0xFFFFFFF0), MIB, "FORMAT_TOO_LARGE"),
        (wide, 1 << 30, "FORMAT_COMPRESSED"),
    ):
        tracemalloc.start()
        began = time.perf_counter()
        assert refused(frame, limit).code == code
        seconds, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (seconds < 0.01, peak < 16 * MIB) == (True, True), (frame[:18], seconds, peak)


class Endless:
    """A frame that holds a thousand bytes, and empty frames for ever."""

    def __init__(self) -> None:
        self.read_bytes = 0
        self._frame = frame_of(os.urandom(1000))

    def read(self, size: int) -> bytes:
        chunk, self._frame = self._frame, b""
        chunk = chunk or (bytes.fromhex("502a4d1800000000") * (size // 8 + 1))[:size]
        self.read_bytes += len(chunk)
        return chunk


def test_input_that_never_ends_is_refused() -> None:
    source = Endless()
    with pytest.raises(FormatError, match="go on for longer"):
        decompress(source, io.BytesIO(), 1 << 30)
    assert source.read_bytes < MIB


def test_a_gibibyte_takes_little_memory() -> None:
    n_bytes, frame = 1 << 30, io.BytesIO()

    class Zeros:
        left = n_bytes

        def read(self, size: int) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    class Nowhere(io.RawIOBase):
        def write(self, data: object) -> int:
            return len(data)  # type: ignore[arg-type]

    tracemalloc.start()
    compress(Zeros(), frame, n_bytes)
    frame.seek(0)
    assert decompress(frame, Nowhere(), n_bytes) == n_bytes  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * MIB
