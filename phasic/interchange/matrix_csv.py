"""`alpha` and `S` as CSV: a line for each state.

    alpha,S1,S2
    1.0,-2.0,2.0
    0.0,0.0,-3.0

A line `# discrete` before the header says that S holds probabilities of steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..files import replacing
from ..graph import Graph
from .matrix_pair import Pair, check_rows, graph_of, pair_of
from .text import Lines, shown

HEADER = "alpha,S1,S2,…"


def read(path: str, *, discrete: bool | None) -> Graph:
    """The graph of a file of matrices.

    Raises:
        FormatError: the line that is wrong, and what was expected.
        GraphError: the matrices are not those of a phase-type distribution.
    """
    lines = Lines(path)
    says: bool | None = None
    values = np.zeros((0, 0))
    done = 0
    for line in lines:
        text = line.strip()
        if text.startswith("#"):
            says = {"discrete": True, "continuous": False}.get(text[1:].strip(), says)
        elif not text:
            continue
        elif values.size == 0:
            columns = [column.strip() for column in text.split(",")]
            size = len(columns) - 1
            if size < 1 or columns != ["alpha", *(f"S{k}" for k in range(1, size + 1))]:
                lines.refuse(shown(text), f"the header {HEADER}")
            check_rows(path, size)
            values = np.zeros((size, size + 1))
        elif done == values.shape[0]:
            lines.refuse("one more line", f"{done} lines, as many as there are columns of S")
        else:
            fields = text.split(",")
            if len(fields) != values.shape[1]:
                lines.refuse(f"{len(fields)} fields", f"{values.shape[1]}, as in the header")
            values[done] = [lines.number_of(field.strip(), "an entry") for field in fields]
            done += 1
    if values.size == 0 or done < values.shape[0]:
        lines.end(f"{values.shape[0] or 'the header and its'} lines of matrices")
    return graph_of(path, Pair(values[:, 0], values[:, 1:], None, says), discrete)


def write(graph: Graph, path: str, *, theta: ArrayLike | None) -> None:
    """Writes the matrices of a graph; states are not written."""
    alpha, matrix, _, discrete = pair_of(graph, theta, path)
    with replacing(path) as stream:
        if discrete:
            stream.write("# discrete\n")
        stream.write(",".join(["alpha", *(f"S{k}" for k in range(1, alpha.size + 1))]) + "\n")
        for probability, row in zip(alpha.tolist(), matrix.tolist(), strict=True):
            stream.write(",".join(map(repr, [probability, *row])) + "\n")
