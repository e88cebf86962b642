"""Numbers as text: the lines of a file, its columns, and lists as an option takes them.

Blank lines and lines that start with # are skipped, and so is a first line without any number in
it. Errors name the line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from phasic.cli.errors import UsageError
from phasic.errors import FormatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NPY_MAGIC = b"\x93NUMPY"
SEPARATOR = re.compile(r"\s*[,;\t]\s*|\s+")
_MOST_POINTS = 10_000_000
_LIST_HINT = "a list is 0.5,1,2 or 0:5:101 (START:STOP:COUNT, both ends included) or @FILE"


def is_number(text: str) -> bool:
    """Whether Python reads `text` as a number, NaN and infinities among them."""
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextmanager
def open_numbers(source: str, hint: str) -> Iterator[BinaryIO]:
    """The bytes of a file or named pipe.

    Raises:
        FormatError: there is none, with this hint.
    """
    path = Path(source)
    if not path.is_file() and not path.is_fifo():
        raise FormatError(f"there is no file {source}", code="FILE_NOT_FOUND", hint=hint)
    with path.open("rb") as stream:
        yield stream


def starts_as_npy(stream: BinaryIO) -> bool:
    """Whether a .npy array follows; nothing is consumed."""
    head = stream.peek(len(NPY_MAGIC)) if hasattr(stream, "peek") else b""
    return head[: len(NPY_MAGIC)] == NPY_MAGIC


def read_lines(name: str, stream: BinaryIO, code: str, hint: str) -> Iterator[tuple[str, str]]:
    """Each line that holds something, with its place (`name:number`).

    Raises:
        FormatError: it is not text, with this code and hint.
    """
    header_possible = True
    for number, raw in enumerate(stream, 1):
        place = f"{name}:{number}"
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise FormatError(f"{place} is not text", code=code, hint=hint) from error
        if not line or line.startswith("#"):
            continue
        if header_possible:
            header_possible = False
            if _is_header(line):
                continue
        yield place, line


def _is_header(line: str) -> bool:
    if line[0] in "[{":
        return False
    return not any(is_number(part.strip("\"'")) for part in SEPARATOR.split(line))


def read_columns(path: str, what: str) -> NDArray[np.float64]:
    """(rows, columns) of a file of CSV, TSV, spaces or a .npy array; (0, 0) of an empty one.

    Raises:
        FormatError: there is no such file, or its rows are no numbers or of different lengths.
    """
    with open_numbers(path, _columns_hint(what)) as stream:
        return columns_of(path, stream, what)


def columns_of(name: str, stream: BinaryIO, what: str) -> NDArray[np.float64]:
    """The same, of an open stream, which errors call `name`."""
    import numpy as np

    hint = _columns_hint(what)
    if starts_as_npy(stream):
        return _npy_columns(name, stream, hint)
    rows: list[list[float]] = []
    for place, line in read_lines(name, stream, "NUMBER_FORMAT", hint):
        parts = SEPARATOR.split(line)
        wrong = [part for part in parts if not is_number(part)]
        if wrong:
            raise FormatError(
                f"{place}: {wrong[0]!r} is not a number", code="NUMBER_FORMAT", hint=hint
            )
        if rows and len(parts) != len(rows[0]):
            raise FormatError(
                f"{place} has {len(parts)} numbers, and the lines before it {len(rows[0])}",
                code="NUMBER_FORMAT",
                hint=hint,
            )
        rows.append([float(part) for part in parts])
    return np.array(rows).reshape(len(rows), len(rows[0]) if rows else 0)


def _columns_hint(what: str) -> str:
    return f"{what}: one row a line, numbers separated by commas, tabs or blanks, or a .npy array"


def _npy_columns(path: str, stream: BinaryIO, hint: str) -> NDArray[np.float64]:
    import numpy as np

    from phasic.npy import read_array

    try:
        array = read_array(stream)
    except ValueError as error:
        raise FormatError(
            f"{path} is not a .npy array that can be read: {error}",
            code="NUMBER_FORMAT",
            hint=hint,
        ) from error
    if array.dtype.kind not in "fiu" or array.ndim not in (1, 2):
        raise FormatError(
            f"{path} holds {array.dtype} of shape {array.shape}", code="NUMBER_FORMAT", hint=hint
        )
    return np.asarray(array if array.ndim == 2 else array[:, np.newaxis], np.float64)


def parse_numbers(option: str, text: str) -> NDArray[np.float64]:
    """The numbers that `text` lists, in its order: `0.5,1`, `START:STOP:COUNT` or `@FILE`.

    Whether they are fit for what is asked (a time must not be negative) is the library's to say.

    Raises:
        UsageError: it lists none, or is no such list.
        FormatError: the file is not there, or holds something else.
    """
    import numpy as np

    if text.startswith("@"):
        return read_columns(text[1:], f"{option} @FILE").reshape(-1)
    parts = [part for part in (part.strip() for part in text.split(",")) if part]
    if not parts:
        raise UsageError(f"{option} lists no numbers", code="USAGE", hint=_LIST_HINT)
    return np.concatenate([_parse_part(option, part) for part in parts])


def _parse_part(option: str, part: str) -> NDArray[np.float64]:
    import numpy as np

    if is_number(part):
        return np.array([float(part)])
    pieces = part.split(":")
    if len(pieces) != 3 or not all(map(is_number, pieces)):
        raise UsageError(f"{option}: {part!r} is no number", code="USAGE", hint=_LIST_HINT)
    start, stop, count = map(float, pieces)
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise UsageError(f"{option}: {part} has no ends", code="USAGE", hint=_LIST_HINT)
    if not (count.is_integer() and 1 <= count <= _MOST_POINTS):
        raise UsageError(
            f"{option}: the COUNT of {part} is not a whole number from 1 to {_MOST_POINTS:,}",
            code="USAGE",
            hint=_LIST_HINT,
        )
    return np.linspace(start, stop, int(count))
