"""Thetas from a file or a pipe, in chunks: CSV, TSV, spaces, JSON lines, or NPY.

Text has one theta a line; blank lines and lines that start with # are skipped, and so is a first
line without any number in it. A JSON line is a list of numbers, or an object with `theta`. Errors
name the line.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO

from phasic.cli.errors import UsageError
from phasic.cli.number_lines import SEPARATOR, is_number, open_numbers, read_lines, starts_as_npy
from phasic.errors import FormatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK_ROWS = 4096


@dataclass
class Chunk:
    """Some thetas, the numbers of their rows, and where each came from."""

    rows: list[int]
    places: list[str]
    thetas: NDArray[np.float64]


@dataclass(frozen=True)
class Shard:
    """The rows r with r % count == index."""

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From `i/n`."""
        match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if match is None or not int(match[1]) < int(match[2]):
            raise UsageError(
                f"--shard {text} is not i/n with i from 0 to n - 1",
                code="USAGE",
                hint="for a job array: sbatch --array=0-9, and --shard $SLURM_ARRAY_TASK_ID/10; not"
                " $SLURM_ARRAY_TASK_COUNT, which is another number when a part is run again",
            )
        return cls(int(match[1]), int(match[2]))

    def __contains__(self, row: int) -> bool:
        return row % self.count == self.index


def parse_theta(text: str | None, n_parameters: int, option: str = "--theta") -> Chunk:
    """From the text of `--theta`, which only a model without parameters can do without.

    Raises:
        UsageError: it is needed.
        FormatError: it does not fit.
    """
    import numpy as np

    if text is None and n_parameters:
        raise UsageError(
            f"theta is needed: the model has {n_parameters} parameters",
            code="THETA_NOT_SET",
            hint="as in --theta 1.0,0.5: a number for each",
        )
    text = text or ""
    parts = SEPARATOR.split(text.strip()) if text.strip() else []
    values = _numbers(parts, option, n_parameters)
    return Chunk([0], [""], np.array([values], dtype=np.float64).reshape(1, n_parameters))


@contextmanager
def open_thetas(source: str, stdin: IO[str]) -> Iterator[tuple[str, BinaryIO]]:
    """The name and the bytes of a file, or of standard input where `source` is -."""
    if source == "-":
        yield "standard input", stdin.buffer  # type: ignore[attr-defined]
        return
    with open_numbers(source, "--thetas takes a file, or - for standard input") as stream:
        yield source, stream


def read_thetas(name: str, stream: BinaryIO, n_parameters: int, shard: Shard) -> Iterator[Chunk]:
    """Chunks of the rows that are in `shard`. Rows are numbered from 0 over the whole input."""
    if starts_as_npy(stream):
        yield from _read_npy(name, stream, n_parameters, shard)
    else:
        yield from _read_text(name, stream, n_parameters, shard)


def _read_text(name: str, stream: BinaryIO, n_parameters: int, shard: Shard) -> Iterator[Chunk]:
    collected = _Collector(n_parameters)
    hint = "thetas are CSV, TSV, JSON lines or a .npy array"
    for row, (place, line) in enumerate(read_lines(name, stream, "THETA_FORMAT", hint)):
        if row in shard:
            collected.add(row, place, _numbers(_parts(line, place), place, n_parameters))
            if collected.full:
                yield collected.chunk()
    if collected.rows:
        yield collected.chunk()


class _Collector:
    """Rows on their way into a chunk."""

    def __init__(self, n_parameters: int) -> None:
        self._n_parameters = n_parameters
        self.rows: list[int] = []
        self._places: list[str] = []
        self._values: list[list[float]] = []

    @property
    def full(self) -> bool:
        return len(self.rows) >= CHUNK_ROWS

    def add(self, row: int, place: str, values: list[float]) -> None:
        self.rows.append(row)
        self._places.append(place)
        self._values.append(values)

    def chunk(self) -> Chunk:
        """The rows so far, which it forgets."""
        import numpy as np

        thetas = np.array(self._values, dtype=np.float64)
        made = Chunk(self.rows, self._places, thetas.reshape(len(self.rows), self._n_parameters))
        self.rows, self._places, self._values = [], [], []
        return made


def _parts(line: str, place: str) -> list[str] | list[object]:
    if line[0] not in "[{":
        return SEPARATOR.split(line)
    try:
        # Whole numbers too are read as floats: theirs may be longer than Python's bound for int.
        value = json.loads(line, parse_int=float)
    except (json.JSONDecodeError, RecursionError) as error:
        raise FormatError(
            f"{place} is not JSON: {error}",
            code="THETA_FORMAT",
            hint="a JSON line is a list of numbers, or an object with theta",
        ) from None
    if isinstance(value, dict):
        value = value.get("theta")
    if not isinstance(value, list):
        raise FormatError(
            f"{place} has no list theta",
            code="THETA_FORMAT",
            hint="a JSON line is a list of numbers, or an object with theta",
        )
    return value


def _numbers(parts: Sequence[object], place: str, n_parameters: int) -> list[float]:
    if len(parts) != n_parameters:
        expected = "1 parameter" if n_parameters == 1 else f"{n_parameters} parameters"
        raise FormatError(
            f"{place}: {len(parts)} value{'' if len(parts) == 1 else 's'}, expected {expected}",
            code="THETA_LENGTH",
            hint="`phasic inspect` shows how many parameters a model has",
        )
    return [_number(part, place) for part in parts]


def _number(part: object, place: str) -> float:
    if not isinstance(part, float) and not (isinstance(part, str) and is_number(part)):
        raise FormatError(
            f"{place}: {part!r} is not a number",
            code="THETA_FORMAT",
            hint="each line is one theta: as many numbers as the model has parameters",
        )
    value = float(part)
    if not math.isfinite(value):
        raise FormatError(
            f"{place}: theta is {value}, expected finite numbers",
            code="THETA_NOT_FINITE",
            hint="remove the line",
        )
    return value


def _read_npy(name: str, stream: BinaryIO, n_parameters: int, shard: Shard) -> Iterator[Chunk]:
    import numpy as np

    from phasic.npy import read_header

    try:
        shape, by_columns, dtype = read_header(stream)
    except ValueError as error:
        raise FormatError(
            f"{name} is not a .npy array that can be read: {error}",
            code="THETA_FORMAT",
            hint="write it by numpy.save",
        ) from error
    if dtype.kind not in "fiu" or len(shape) != 2 or by_columns or shape[1] != n_parameters:
        order = " in Fortran order" if by_columns else ""
        raise FormatError(
            f"{name} holds {dtype} of shape {shape}{order}, expected floats (rows, {n_parameters})",
            code="THETA_FORMAT",
            hint="numpy.save(file, numpy.ascontiguousarray(thetas, dtype=float))",
        )
    row_bytes = n_parameters * dtype.itemsize
    for first in range(0, shape[0], CHUNK_ROWS):
        wanted = min(CHUNK_ROWS, shape[0] - first)
        data = stream.read(wanted * row_bytes)
        if len(data) < wanted * row_bytes:
            raise FormatError(
                f"{name} ends before its {shape[0]} rows",
                code="THETA_FORMAT",
                hint="the file was not written to its end",
            )
        thetas = np.frombuffer(data, dtype=dtype).reshape(wanted, n_parameters)
        rows = [row for row in range(first, first + wanted) if row in shard]
        thetas = thetas[[row - first for row in rows]].astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(thetas).all(axis=1))
        if bad.size:
            raise FormatError(
                f"{name}, row {rows[bad[0]]}: theta is {thetas[bad[0]].tolist()}, expected finite"
                " numbers",
                code="THETA_NOT_FINITE",
                hint="rows are numbered from 0",
            )
        if rows:
            yield Chunk(rows, [f"{name}, row {row}" for row in rows], thetas)
