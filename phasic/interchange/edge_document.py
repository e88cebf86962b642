"""Edges as one document, which JSON and msgpack hold alike.

    {"format": "phasic-edges/1", "discrete": false, "parameters": ["coalescence"],
     "state": ["lineages"], "states": [[0], [1], [2]],
     "edges": [[0, 2, 1.0, 0.0], [2, 1, 0.0, 1.0]]}

An edge is its source, its target, its base and a coefficient for each parameter; vertices are
numbers, 0 is the start. `states` has a row for each vertex, that of the start counting for nothing;
in place of `state` and `states`, `n_vertices` may say how many there are.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import config
from ..errors import FormatError, GraphError
from ..graph import Graph
from ..state_space.names import checked_names
from .edge_table import EdgeTable, agreed
from .text import shown

FORMAT = "phasic-edges/1"
LARGEST = 1 << 26
"""Bytes of a file: all of it is read before any of it is understood."""


def of(graph: Graph, theta: ArrayLike | None) -> dict[str, Any]:
    """The document of a graph."""
    table = EdgeTable.of(graph, theta)
    document: dict[str, Any] = {
        "format": FORMAT,
        "discrete": table.discrete,
        "parameters": list(table.parameters),
    }
    if table.states is None:
        document["n_vertices"] = table.n_vertices
    else:
        document["state"] = list(table.state_names or ())
        document["states"] = table.states.tolist()
    document["edges"] = [
        [source, target, base, *coefficients]
        for source, target, base, coefficients in zip(
            table.source.tolist(),
            table.target.tolist(),
            table.base.tolist(),
            table.coefficients.tolist(),
            strict=True,
        )
    ]
    return document


def read_bytes(path: str) -> bytes:
    """All of a file.

    Raises:
        FormatError: it has more than LARGEST bytes.
    """
    with open(path, "rb") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise FormatError(
            f"{path} has more than {LARGEST >> 20} MiB",
            code="FILE_FORMAT",
            hint="write it as .csv, which is read line by line",
        )
    return content


def graph_of(path: str, document: object, discrete: bool | None) -> Graph:
    """The graph of a document.

    Raises:
        FormatError: what was found in which field, and what was expected.
        GraphError: the numbers make no model.
    """
    return _Document(path, document).table(discrete).graph()


class _Document:
    def __init__(self, path: str, document: object) -> None:
        self.path = path
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            found = document.get("format") if isinstance(document, dict) else document
            self.refuse("format", _short(found), f'an object with "format": "{FORMAT}"')
        self.fields: dict[str, Any] = document

    def table(self, discrete: bool | None) -> EdgeTable:
        says = self.fields.get("discrete")
        if not isinstance(says, bool | None):
            self.refuse("discrete", _short(says), "true or false")
        parameters = self.names("parameters")
        states = state_names = None
        if "states" in self.fields:
            state_names = self.names("state")
            states = self.matrix("states", len(state_names), whole=True).astype(np.int64)
            n_vertices = states.shape[0]
        else:
            n_vertices = self.fields.get("n_vertices", 0)
        most = config.get_int("max_vertices")
        is_number = isinstance(n_vertices, int) and not isinstance(n_vertices, bool)
        if not is_number or not 2 <= n_vertices <= most + 1:
            self.refuse(
                "states" if states is not None else "n_vertices",
                _short(n_vertices),
                f"2 to {most + 1:,} vertices (the bound is max_vertices, PHASIC_MAX_VERTICES)",
            )
        edges = self.matrix("edges", 3 + len(parameters), whole=False)
        ends = edges[:, :2]
        wrong = (ends != np.floor(ends)) | (ends < 0) | (ends >= n_vertices)
        if wrong.any():
            row = int(np.flatnonzero(wrong.any(axis=1))[0])
            self.refuse(
                f"edges[{row}]", _short(edges[row].tolist()), f"vertices 0 to {n_vertices - 1}"
            )
        return EdgeTable(
            edges[:, 0].astype(np.int64),
            edges[:, 1].astype(np.int64),
            edges[:, 2],
            edges[:, 3:],
            parameters,
            n_vertices,
            states,
            state_names,
            agreed(self.path, says, discrete),
        )

    def names(self, field: str) -> tuple[str, ...]:
        given = self.fields.get(field, [])
        if not isinstance(given, list):
            self.refuse(field, _short(given), "a list of names")
        try:
            return checked_names(given, field) or ()
        except GraphError as error:
            self.refuse(field, error.message, "different identifiers")

    def matrix(self, field: str, width: int, whole: bool) -> NDArray[np.float64]:
        rows = self.fields.get(field)
        expected = f"a list of rows of {width} {'whole ' if whole else ''}numbers"
        if not isinstance(rows, list) or not rows:
            self.refuse(field, _short(rows), expected)
        for number, row in enumerate(rows):
            fits = isinstance(row, list) and len(row) == width
            if not fits or not all(type(x) is int or (type(x) is float and not whole) for x in row):
                self.refuse(f"{field}[{number}]", _short(row), f"{width} numbers")
        try:
            matrix = np.array(rows, np.float64)
        except OverflowError:
            self.refuse(field, "a number beyond all floats", expected)
        if not np.isfinite(matrix).all() or (whole and (np.abs(matrix) > 1 << 40).any()):
            self.refuse(field, "a number that is not finite, or too large", expected)
        return matrix

    def refuse(self, field: str, found: str, expected: str) -> NoReturn:
        raise FormatError(
            f"{self.path}, {field}: found {found}, expected {expected}",
            code="FILE_FORMAT",
            hint=f"`phasic convert MODEL out.json` writes an example of {FORMAT}",
        )


def _short(value: object) -> str:
    return shown(value) if isinstance(value, str) else shown(str(value))[1:-1]
