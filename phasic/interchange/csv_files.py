"""CSV files to read: edges or matrices, told apart by the header."""

from __future__ import annotations

from ..graph import Graph
from . import edge_csv, matrix_csv
from .text import Lines, shown


def read(path: str, *, discrete: bool | None) -> Graph:
    """The graph.

    Raises:
        FormatError: the header is neither of the two, or what follows does not fit it.
    """
    lines = Lines(path)
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        first = line.split(",")[0].strip()
        if first == "source":
            return edge_csv.read(path, discrete=discrete)
        if first == "alpha":
            return matrix_csv.read(path, discrete=discrete)
        lines.refuse(
            shown(line),
            f"the header {edge_csv.HEADER} of edges, or {matrix_csv.HEADER} of matrices",
        )
    lines.end("a header")
