"""Where the sub-intensity matrix has entries, and where its elimination adds some, as counts.

The matrix of the transient states has an entry for each edge between two of them and one for each
pivot. Elimination makes more, the *fill-in*: i reaches j through a state that is already gone. The
trace holds it by blocks, slot by slot. However many entries there are, they are counted into a grid
of at most `MOST_CELLS` rows and columns, a chunk at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._engine import lib
from ..errors import GraphError

if TYPE_CHECKING:
    from ..trace_elimination import EliminationTrace

MOST_CELLS = 400
# Entries that are in memory at a time.
_CHUNK = 1 << 20

Counts = NDArray[np.int64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Pattern:
    """How many entries lie in each cell of a grid over the matrix, row by row.

    Attributes:
        n_states: rows of the matrix, which are the transient states.
        given: (cells, cells), edges in the order of the states.
        ordered: (cells, cells), the same edges in the order of elimination.
        fill: (cells, cells), what elimination adds, in its order.
        components: (k, 2), first and last place, in the order of elimination, of those of several
            states.
    """

    n_states: int
    given: Counts
    ordered: Counts
    fill: Counts
    components: Numbers

    @property
    def states_a_cell(self) -> int:
        """How many states a row of the grid stands for; the last one may have fewer."""
        return _states_a_cell(self.n_states)


def elimination_pattern(trace: EliminationTrace) -> Pattern:
    """Counts the entries of a trace.

    Args:
        trace: of any size.

    Returns:
        The grids; they have a cell for each entry up to 400 states.

    Raises:
        GraphError: no state is transient, so that there is no matrix.

    Example:
        >>> from phasic.models import structured
        >>> from phasic.plots import elimination_pattern
        >>> trace = structured.migration([3, 3]).compute_trace()
        >>> pattern = elimination_pattern(trace)
        >>> int(pattern.fill.sum()) == trace.statistics()["fill_in"]
        True
    """
    meta = trace.handle.meta
    boundary = meta["n_absorbing"] + meta["n_dropped"]
    # The start has the last position.
    n_states = meta["n_vertices"] - boundary - 1
    if n_states == 0:
        raise GraphError(
            "the model has no transient state, so its matrix is empty",
            code="PLOT_EMPTY",
            hint="it is absorbed as it starts; `phasic inspect MODEL --states` lists its states",
        )
    vertex = trace.handle.array("position_vertex")[boundary:-1]
    rank = np.empty(n_states, np.int64)
    rank[np.argsort(vertex)] = np.arange(n_states)
    width = _states_a_cell(n_states)
    cells = -(-n_states // width)
    grids = [np.zeros(cells * cells, np.int64) for _ in range(3)]

    def count(grid: int, rows: Numbers, columns: Numbers) -> None:
        place = rows // width * cells + columns // width
        grids[grid] += np.bincount(place, minlength=cells * cells)

    for source, target in _edges(trace, boundary, n_states):
        count(0, rank[source], rank[target])
        count(1, source, target)
    for row, column in _fill(trace, boundary):
        count(2, row, column)
    shape = (cells, cells)
    starts = trace.handle.array("component_start").astype(np.int64) - boundary
    several = np.flatnonzero(np.diff(starts) > 1)
    components = np.column_stack([starts[several], starts[several + 1] - 1])
    given, ordered, fill = (grid.reshape(shape) for grid in grids)
    return Pattern(n_states, given, ordered, fill, components)


def _states_a_cell(n_states: int) -> int:
    return -(-n_states // MOST_CELLS)


def _edges(
    trace: EliminationTrace, boundary: int, n_states: int
) -> Iterator[tuple[Numbers, Numbers]]:
    """Rows and columns of the edges between different transient states, in order of elimination."""
    starts = trace.handle.array("edge_start")[boundary : boundary + n_states + 1]
    targets = trace.handle.array("edge_target")
    for number in _chunks(int(starts[0]), int(starts[-1])):
        row = _owner(starts, number)
        column = targets[number].astype(np.int64) - boundary
        inside = (column >= 0) & (column != row)
        yield row[inside], column[inside]


def _fill(trace: EliminationTrace, boundary: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Rows and columns of the fill-in of all components, in the order of elimination."""
    array = trace.handle.array
    row_slot, column, block_row = array("row_slot"), array("slot_column"), array("block_row")
    is_fill = _is_fill(trace)
    # Components that share a block have its slots each.
    block = array("component_block")
    component = np.flatnonzero(block != lib.PTD_NONE)
    place = array("component_start")[component].astype(np.int64) - boundary
    first_row, end_row = block_row[block[component]], block_row[block[component] + 1]
    first_slot = row_slot[first_row].astype(np.int64)
    starts = np.append(0, np.cumsum(row_slot[end_row] - first_slot))
    for number in _chunks(0, int(starts[-1])):
        which = _owner(starts, number)
        slot = first_slot[which] + number - starts[which]
        kept = is_fill[slot]
        which, slot = which[kept], slot[kept]
        row = _owner(row_slot, slot) - first_row[which]
        yield place[which] + row, place[which] + column[slot]


def _is_fill(trace: EliminationTrace) -> NDArray[np.bool_]:
    """For each slot of a row whether it is no edge's, not the diagonal and not the exit."""
    array = trace.handle.array
    row_slot, entry_start, entry_slot = array("row_slot"), array("entry_start"), array("entry_slot")
    is_fill = array("slot_column") != lib.PTD_NONE
    is_fill[row_slot[:-1] + array("row_lower")] = False
    for number in _chunks(0, entry_slot.size):
        is_fill[row_slot[_owner(entry_start, number)] + entry_slot[number]] = False
    return is_fill


def _owner(starts: NDArray[Any], number: Numbers) -> Numbers:
    """For each number the row whose part of a flat array it lies in."""
    return np.searchsorted(starts, number, side="right") - 1


def _chunks(first: int, last: int) -> Iterator[Numbers]:
    for begin in range(first, last, _CHUNK):
        yield np.arange(begin, min(begin + _CHUNK, last))
