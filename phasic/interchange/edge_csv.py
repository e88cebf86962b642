"""Edges as CSV: a line for each, with the vertices it joins and its weight.

    # state: susceptible infected
    source,target,base,infection,recovery
    start,1 1,1.0,0.0,0.0
    1 1,0 2,0.0,0.5,0.0
    1 1,1 0,0.0,0.0,1.0

Columns after `base` are parameters, by name: weight = base + sum of column times parameter. Lines
that start with # may say `# discrete`, and with `# state: NAMES` that vertices are called by their
states, the entries with spaces between; else by number. The start is `start`, or 0 as a number.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike

from ..errors import GraphError
from ..files import replacing
from ..graph import Graph
from ..state_space.names import checked_names
from .edge_table import Edges, EdgeTable, agreed
from .text import Lines, shown

HEADER = "source,target,base[,PARAMETER…]"
_COLUMNS = ["source", "target", "base"]
_ENTRY = re.compile(r"-?\d{1,10}")


def read(path: str, *, discrete: bool | None) -> Graph:
    """The graph of a file of edges.

    Raises:
        FormatError: the line that is wrong, and what was expected.
        GraphError: the numbers make no model.
    """
    lines = Lines(path)
    says: bool | None = None
    state_names: tuple[str, ...] | None = None
    reader: _Rows | None = None
    for line in lines:
        text = line.strip()
        if text.startswith("#") and reader is None:
            comment = text[1:].strip()
            if comment in ("discrete", "continuous"):
                says = comment == "discrete"
            elif comment.startswith("state:"):
                state_names = _names(lines, comment[6:].split(), "names of the entries of states")
        elif not text or text.startswith("#"):
            continue
        elif reader is None:
            reader = _Rows(lines, _parameters(lines, text), state_names)
        else:
            reader.add(text.split(","))
    if reader is None:
        lines.end(f"the header {HEADER}")
    if not reader.edges.base:
        lines.end("a line for each edge")
    return reader.table(state_names, agreed(path, says, discrete)).graph()


def _parameters(lines: Lines, header: str) -> tuple[str, ...]:
    columns = [column.strip() for column in header.split(",")]
    if columns[:3] != _COLUMNS:
        lines.refuse(shown(header), f"the header {HEADER}")
    return _names(lines, columns[3:], "names of parameters")


def _names(lines: Lines, names: list[str], what: str) -> tuple[str, ...]:
    try:
        return checked_names(names, what) or ()
    except GraphError as error:
        lines.refuse(error.message, f"{what}, different identifiers")


class _Rows:
    """Reads the lines after the header."""

    def __init__(
        self, lines: Lines, parameters: tuple[str, ...], state_names: tuple[str, ...] | None
    ) -> None:
        self.lines = lines
        self.parameters = parameters
        self.edges = Edges(len(parameters))
        self._state_length = None if state_names is None else len(state_names)
        self._numbers: dict[str, int] = {"start": 0}
        self._states: list[list[int]] = []

    def add(self, fields: list[str]) -> None:
        wanted = 3 + len(self.parameters)
        if len(fields) != wanted:
            self.lines.refuse(f"{len(fields)} fields", f"{wanted}, as in the header")
        source, target = self.vertex(fields[0].strip()), self.vertex(fields[1].strip())
        base, *coefficients = [self.lines.number_of(x.strip(), "a weight") for x in fields[2:]]
        self.edges.add(source, target, base, coefficients)

    def vertex(self, text: str) -> int:
        if self._state_length is None:
            return 0 if text == "start" else self.lines.whole(text, "a vertex")
        number = self._numbers.get(text)
        if number is None:
            entries = text.split()
            if len(entries) != self._state_length or not all(map(_ENTRY.fullmatch, entries)):
                self.lines.refuse(
                    shown(text), f"start, or a state of {self._state_length} whole numbers"
                )
            self._states.append([int(entry) for entry in entries])
            number = self._numbers[text] = len(self._states)
        return number

    def table(self, state_names: tuple[str, ...] | None, discrete: bool) -> EdgeTable:
        arrays = self.edges.arrays()
        states = None
        n_vertices = len(self._states) + 1
        if self._state_length is None:
            n_vertices = (
                self.lines.size(
                    str(int(max(arrays[0].max(), arrays[1].max()))), "the highest vertex"
                )
                + 1
            )
        else:
            found = np.array(self._states, np.int64).reshape(-1, self._state_length)
            states = np.vstack([np.zeros((1, self._state_length), np.int64), found])
        return EdgeTable(*arrays, self.parameters, n_vertices, states, state_names, discrete)


def write(graph: Graph, path: str, *, theta: ArrayLike | None) -> None:
    """Writes the edges of a graph, with formulas for weights unless theta is given."""
    table = EdgeTable.of(graph, theta)
    labels = ["start"]
    if table.states is None:
        labels = [str(number) for number in range(table.n_vertices)]
    else:
        labels += [" ".join(map(str, state)) for state in table.states[1:].tolist()]
    with replacing(path) as stream:
        if table.discrete:
            stream.write("# discrete\n")
        if table.state_names:
            stream.write(f"# state: {' '.join(table.state_names)}\n")
        stream.write(",".join([*_COLUMNS, *table.parameters]) + "\n")
        for source, target, base, coefficients in zip(
            table.source.tolist(),
            table.target.tolist(),
            table.base.tolist(),
            table.coefficients.tolist(),
            strict=True,
        ):
            numbers = ",".join(map(repr, [base, *coefficients]))
            stream.write(f"{labels[source]},{labels[target]},{numbers}\n")
