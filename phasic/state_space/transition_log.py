"""Transitions of many states, kept until the number of parameters is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edges import EdgeChunk
from .quick_read import Columns
from .transitions import refuse

_STATES_PER_CHUNK = 1024


class TransitionLog:
    """Collects columns; `width` is the number of parameters seen so far."""

    def __init__(self) -> None:
        self.chunks: list[EdgeChunk] = []
        self.width = 0
        self._width_is_of_start = True
        self._reset()

    def _reset(self) -> None:
        self._source: list[int] = []
        self._count: list[int] = []
        self._target: list[int] = []
        self._base: list[Any] = []
        self._coefficients: list[Any] = []

    def add(self, source: int, target: list[int], columns: Columns, where: object) -> None:
        """Adds the transitions out of vertex `source` (0: the start) to vertices `target`."""
        width = columns.width
        if width and (width != self.width or self._width_is_of_start):
            self._settle_width(width, source, where)
        self._source.append(source)
        self._count.append(len(target))
        self._target += target
        self._base += columns.base
        self._coefficients += columns.coefficients
        if width < self.width:
            self._coefficients += [0.0] * (self.width * len(target))
        if len(self._source) == _STATES_PER_CHUNK:
            self.close_chunk()

    def _settle_width(self, width: int, source: int, where: object) -> None:
        # Start edges may name fewer parameters than there are: existing models write [1.0].
        if self.width and not (self._width_is_of_start and width >= self.width):
            whose = "the start edges" if self._width_is_of_start else "other states"
            refuse(
                where,
                f"returned coefficient lists of length {width}; "
                f"those of {whose} have length {self.width}",
            )
        self.close_chunk()
        self.width = width
        self._width_is_of_start = source == 0

    def first_source(self, target: int) -> int:
        """The vertex from which `target` was reached first."""
        self.close_chunk()
        for chunk in self.chunks:
            rows = np.flatnonzero(chunk.target == target)
            if rows.size:
                return int(chunk.source[rows[0]])
        raise ValueError(f"no edge leads to vertex {target}")

    def close_chunk(self) -> None:
        """Turns what came since the last chunk into arrays."""
        if not self._source:
            return
        self.chunks.append(
            EdgeChunk(
                np.repeat(np.array(self._source, np.int64), self._count),
                np.array(self._target, np.int64),
                _floats(self._base),
                _floats(self._coefficients).reshape(len(self._target), self.width),
            )
        )
        self._reset()


def _floats(values: Sequence[Any]) -> NDArray[np.float64]:
    try:
        return np.array(values, np.float64)
    except OverflowError:
        return np.array(list(_infinite_beyond_range(values)), np.float64)


def _infinite_beyond_range(values: Iterable[Any]) -> Iterable[float]:
    # Whole numbers too large for a double; the engine then names the edge.
    for value in values:
        is_far = isinstance(value, int) and abs(value) >= 1 << 1024
        yield (math.inf if value > 0 else -math.inf) if is_far else float(value)
