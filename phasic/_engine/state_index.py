"""Handle of `ptd_state_index`: states numbered in order of first appearance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import ffi, lib
from .status import check
from .views import pointer, view


class StateIndex:
    """A hash table in C from states (rows of int32) to 0, 1, 2, …"""

    def __init__(self, state_length: int, max_states: int) -> None:
        self.state_length = state_length
        handle, error = ffi.new("ptd_state_index **"), ffi.new("ptd_error *")
        check(lib.ptd_state_index_create(state_length, max_states, handle, error), error)
        self._pointer = ffi.gc(handle[0], lib.ptd_state_index_destroy)

    def __len__(self) -> int:
        return int(lib.ptd_state_index_size(self._pointer))

    def insert(self, states: NDArray[np.int32]) -> NDArray[np.int64] | None:
        """Numbers of the states (count, state_length), new ones added; None where they do not fit.

        When they do not fit, the states before the first that did not have been added.
        """
        ids = np.empty(states.shape[0], np.int64)
        error = ffi.new("ptd_error *")
        status = lib.ptd_state_index_insert(
            self._pointer, states.shape[0], pointer(states), pointer(ids), error
        )
        if status == lib.PTD_GRAPH_TOO_LARGE:
            return None
        check(status, error)
        return ids

    def find(self, states: NDArray[np.int32]) -> NDArray[np.int64]:
        """Numbers of the states; -1 for those unknown."""
        ids = np.empty(states.shape[0], np.int64)
        lib.ptd_state_index_find(self._pointer, states.shape[0], pointer(states), pointer(ids))
        return ids

    def states(self, first: int = 0, last: int | None = None) -> NDArray[np.int32]:
        """A copy of the states numbered first..last, (last - first, state_length)."""
        size = len(self)
        table = view(
            lib.ptd_state_index_states(self._pointer), (size, self.state_length), np.int32, self
        )
        # A copy, because the next insert may move the memory.
        return table[first:last].copy()
