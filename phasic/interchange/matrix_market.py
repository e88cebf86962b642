"""`S` as a Matrix Market file, and `alpha` in another beside it: `model.mtx`, `model.alpha.mtx`.

Boisvert, R. F., Pozo, R. & Remington, K. A. (1996). The Matrix Market exchange formats: initial
design. NIST Interagency Report 5935. `coordinate` and `array`, `real` and `integer`, `general` and
`symmetric` are read; S is written as coordinates, alpha as an array (m, 1). A comment `% discrete`
says that S holds probabilities of steps.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import FormatError
from ..files import replacing
from ..graph import Graph
from .matrix_pair import Pair, check_rows, graph_of, pair_of
from .text import Lines, shown

_BANNER = "%%MatrixMarket"
_EXPECTED = f"{_BANNER} matrix coordinate|array real|integer general|symmetric"


def read(path: str, *, discrete: bool | None) -> Graph:
    """The graph of a Matrix Market file and that of its starting probabilities.

    Raises:
        FormatError: the line that is wrong, and what was expected; or no file of alpha.
        GraphError: the matrices are not those of a phase-type distribution.
    """
    beside = _beside(path)
    if not os.path.isfile(beside):
        raise FormatError(
            f"{path} holds S, and there is no {beside} with the starting probabilities",
            code="FILE_NOT_FOUND",
            hint="alpha is a matrix of one column, or row, in a file of its own",
        )
    matrix, says = _read_matrix(path)
    alpha, _ = _read_matrix(beside)
    if matrix.shape[0] != matrix.shape[1] or sorted(alpha.shape) != sorted([1, matrix.shape[0]]):
        raise FormatError(
            f"{path} has the shape {matrix.shape} and {beside} {alpha.shape}, expected (m, m) and"
            " (m, 1)",
            code="FILE_FORMAT",
            hint="do the two belong together?",
        )
    return graph_of(path, Pair(alpha.ravel(), matrix, None, says), discrete)


def _beside(path: str) -> str:
    stem = path[: -len(".mtx")]
    return f"{stem}.alpha{path[len(stem) :]}"


def _read_matrix(path: str) -> tuple[NDArray[np.float64], bool | None]:
    lines = Lines(path)
    content = iter(lines)
    words = next(content, "").split()
    kinds = [word.lower() for word in words[1:]]
    fits = len(kinds) == 4 and words[0] == _BANNER and kinds[0] == "matrix"
    if (
        not fits
        or kinds[1] not in ("coordinate", "array")
        or kinds[2] not in ("real", "integer")
        or kinds[3] not in ("general", "symmetric")
    ):
        lines.refuse(shown(" ".join(words)), _EXPECTED)
    says: bool | None = None
    rest: list[str] = []
    for line in content:
        if line.startswith("%"):
            says = {"discrete": True, "continuous": False}.get(line[1:].strip(), says)
        elif line.strip():
            rest = line.split()
            break
    if kinds[1] == "coordinate":
        matrix = _coordinates(lines, rest, content)
    else:
        matrix = _array(lines, rest, content, kinds[3] == "symmetric")
    if kinds[3] == "symmetric":
        if matrix.shape[0] != matrix.shape[1] or np.triu(matrix, 1).any():
            lines.refuse("entries above the diagonal", "those of a symmetric matrix, on and below")
        matrix = matrix + np.tril(matrix, -1).T
    return matrix, says


def _sizes(lines: Lines, fields: list[str], names: str) -> list[int]:
    if len(fields) != len(names.split()):
        lines.refuse(shown(" ".join(fields)), f"the sizes {names}")
    sizes = [lines.whole(field, "a size") for field in fields]
    if min(sizes[:2]) < 1:
        lines.refuse(shown(" ".join(fields)), "sizes of 1 or more")
    check_rows(lines.path, max(sizes[:2]))
    return sizes


def _entries(lines: Lines, content: Iterator[str], count: int) -> Iterator[list[str]]:
    seen = 0
    for line in content:
        fields = line.split()
        if not fields or line.startswith("%"):
            continue
        if seen == count:
            lines.refuse("one more entry", f"{count}, as the sizes say")
        seen += 1
        yield fields
    if seen < count:
        lines.end(f"{count} entries, not {seen}")


def _coordinates(lines: Lines, sizes: list[str], content: Iterator[str]) -> NDArray[np.float64]:
    rows, columns, count = _sizes(lines, sizes, "rows columns entries")
    matrix = np.zeros((rows, columns))
    for fields in _entries(lines, content, count):
        if len(fields) != 3:
            lines.refuse(shown(" ".join(fields)), "row, column and value")
        row, column = (lines.whole(field, "an index") for field in fields[:2])
        if not 1 <= row <= rows or not 1 <= column <= columns:
            lines.refuse(f"the place {row}, {column}", f"one of 1, 1 to {rows}, {columns}")
        matrix[row - 1, column - 1] += lines.number_of(fields[2], "a value")
    return matrix


def _array(
    lines: Lines, sizes: list[str], content: Iterator[str], symmetric: bool
) -> NDArray[np.float64]:
    rows, columns = _sizes(lines, sizes, "rows columns")
    matrix = np.zeros((rows, columns))
    # Column by column; of a symmetric matrix what is on and below the diagonal.
    places = [(i, j) for j in range(columns) for i in range(j if symmetric else 0, rows)]
    for place, fields in zip(places, _entries(lines, content, len(places)), strict=True):
        if len(fields) != 1:
            lines.refuse(shown(" ".join(fields)), "one value")
        matrix[place] = lines.number_of(fields[0], "a value")
    return matrix


def write(graph: Graph, path: str, *, theta: ArrayLike | None) -> None:
    """Writes S, and alpha beside it; states are not written."""
    alpha, matrix, _, discrete = pair_of(graph, theta, path)
    row, column = np.nonzero(matrix)
    with replacing(path) as stream:
        stream.write(f"{_BANNER} matrix coordinate real general\n")
        if discrete:
            stream.write("% discrete\n")
        stream.write(f"{alpha.size} {alpha.size} {row.size}\n")
        for i, j, value in zip(
            row.tolist(), column.tolist(), matrix[row, column].tolist(), strict=True
        ):
            stream.write(f"{i + 1} {j + 1} {value!r}\n")
    with replacing(_beside(path)) as stream:
        stream.write(f"{_BANNER} matrix array real general\n{alpha.size} 1\n")
        stream.writelines(f"{value!r}\n" for value in alpha.tolist())
