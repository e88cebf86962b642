"""How many operations a trace expands to, without expanding it.

Structure decides: each form, exit sum, inverse, product and sum of `operations.Expansion` is
counted from the patterns of the rows. Every slot of a row but its exit is filled by the time the
row is done, for the patterns hold no more than the fill; the exit is filled where the row, or a
row that it is reduced by, leaves its component.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._engine import lib
from ._engine.trace import TraceHandle

_NONE = int(lib.PTD_NONE)


def count_operations(trace: TraceHandle) -> int:
    """Operations of the expansion of a trace."""
    return _of_forms(trace) + _of_single_vertices(trace) + _of_blocks(trace)


def _of_forms(trace: TraceHandle) -> int:
    varies = np.diff(_long(trace, "form_start")) > 0
    has_base = trace.array("form_base") != 0.0
    # A base beside parameters is a constant of its own and a sum.
    return varies.size + 2 * int(np.count_nonzero(varies & has_base))


def _of_single_vertices(trace: TraceHandle) -> int:
    starts = _long(trace, "component_start")[:-1]
    positions = starts[trace.array("component_block") == _NONE]
    exits = trace.array("exit_of_position")[positions]
    leaving = positions[exits != _NONE]
    edges = _long(trace, "edge_self")[leaving] - _long(trace, "edge_external")[leaving]
    return _sums(trace, leaving) + leaving.size + int(edges.sum())


def _of_blocks(trace: TraceHandle) -> int:
    row_slot = _long(trace, "row_slot")
    n_rows = row_slot.size - 1
    if n_rows == 0:
        return 0
    block_row = _long(trace, "block_row")
    first_row = np.repeat(block_row[:-1], np.diff(block_row))
    block_position = np.repeat(_long(trace, "block_position"), np.diff(block_row))
    positions = block_position + np.arange(n_rows) - first_row
    n_lower = _long(trace, "row_lower")
    # A row's slots are L, the diagonal, U, and the exit.
    n_upper = np.diff(row_slot) - n_lower - 2

    row = np.repeat(np.arange(n_rows), np.diff(row_slot))
    place = np.arange(row_slot[-1]) - row_slot[row]
    column = _long(trace, "slot_column")
    is_lower = place < n_lower[row]
    is_upper = (place > n_lower[row]) & (column != _NONE)
    reduced, by = row[is_lower], first_row[row[is_lower]] + column[is_lower]

    own_exit = trace.array("exit_of_position")[positions] != _NONE
    leaves = _with_predecessors(own_exit, n_lower, by)
    # What returns to the row itself is dropped: i in U(k) for a k in L(i).
    upper_keys = row[is_upper] * n_rows + (first_row[row] + column)[is_upper]
    returns = int(np.count_nonzero(np.isin(by * n_rows + reduced, upper_keys)))

    updates = int((n_upper[by] + leaves[by]).sum()) - returns
    filled = int((n_lower + n_upper).sum()) + int(np.count_nonzero(leaves))
    given = _long(trace, "entry_slot").size + int(np.count_nonzero(own_exit))
    additions = updates - (filled - given)
    way_out = n_upper + leaves
    return (
        _sums(trace, positions)
        + by.size  # factors
        + updates
        + additions
        + int(np.count_nonzero(way_out > 1))
        + n_rows  # inverses
        + int(way_out.sum())  # probabilities
    )


def _with_predecessors(
    own: NDArray[np.bool_], n_lower: NDArray[np.int64], by: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Rows that are marked, or reduced by a row that is; rows come in their order."""
    marked = own.tolist()
    rows = by.tolist()
    at = 0
    for row, count in enumerate(n_lower.tolist()):
        if not marked[row]:
            marked[row] = any(marked[k] for k in rows[at : at + count])
        at += count
    return np.array(marked, bool)


def _sums(trace: TraceHandle, positions: NDArray[np.int64]) -> int:
    """Exits of several forms, each of which is a sum."""
    exits = trace.array("exit_of_position")[positions]
    exits = exits[exits != _NONE].astype(np.int64)
    return int(np.count_nonzero(np.diff(_long(trace, "exit_start"))[exits] > 1))


def _long(trace: TraceHandle, name: str) -> NDArray[np.int64]:
    return trace.array(name).astype(np.int64)
