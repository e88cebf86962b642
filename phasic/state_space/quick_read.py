"""The quick way to read a callback's result: all transitions of one shape, of plain types.

Nothing is kept of what the callback returned but copies, so it may reuse its arrays and lists.
What does not fit is left to `transitions.read`, which is slower, allows more, and words the errors.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

INT64 = np.dtype(np.int64)
_BYTES_EACH = INT64.itemsize
# Conversions of these never fail, but for whole numbers beyond the range of double.
_PLAIN = frozenset({float, int, np.float64, np.float32, np.int64, np.int32})


class Columns(NamedTuple):
    """Transitions by column: states as the bytes of int64, weights, coefficients in one list."""

    keys: list[bytes]
    base: Sequence[Any]
    width: int
    coefficients: list[Any]


class QuickReader:
    """Reads transitions to states of one length."""

    def __init__(self, state_length: int, parameterized: bool | None) -> None:
        self._pack = struct.Struct(f"={state_length}q").pack
        self._row_bytes = state_length * _BYTES_EACH
        self._parameterized = parameterized

    def read(self, transitions: Sequence[Any]) -> Columns | None:
        """The columns of at least one transition, or None where it takes the slow way."""
        try:
            first, *rest = zip(*transitions, strict=True)
            keys = self._keys(first)
            base, lists = self._weights(rest)
            width = len(lists[0]) if lists else 0
            if lists and set(map(len, lists)) != {width}:
                return None
            coefficients = list(chain.from_iterable(lists))
        except (TypeError, ValueError, struct.error):
            return None
        if keys is None or not _PLAIN.issuperset(map(type, base)):
            return None
        if width:
            if not _PLAIN.issuperset(map(type, coefficients)):
                return None
            if self._parameterized is False and any(coefficients):
                return None
        return Columns(keys, base, width, coefficients)

    def _keys(self, states: Sequence[Any]) -> list[bytes] | None:
        if type(states[0]) is not np.ndarray:
            return [self._pack(*state) for state in states]
        for state in states:
            if type(state) is not np.ndarray or state.dtype is not INT64:
                return None
        keys = list(map(np.ndarray.tobytes, states))
        return keys if set(map(len, keys)) == {self._row_bytes} else None

    def _weights(self, rest: list[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        if len(rest) == 2:
            return rest[0], rest[1]
        (weights,) = rest
        if type(weights[0]) in (list, tuple) and self._parameterized is not False:
            return [0.0] * len(weights), weights
        return weights, ()
