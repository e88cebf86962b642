"""Transitions of many states, kept until the number of parameters is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edges import EdgeChunk
from .transitions import Transitions, refuse

_STATES_PER_CHUNK = 1024


class TransitionLog:
    """Collects what `transitions.read` gives; `width` is the number of parameters seen so far."""

    def __init__(self) -> None:
        self.chunks: list[EdgeChunk] = []
        self.width = 0
        self._width_is_of_start = True
        self._reset()

    def _reset(self) -> None:
        self._source: list[int] = []
        self._count: list[int] = []
        self._target: list[NDArray[Any]] = []
        self._base: list[NDArray[Any]] = []
        self._coefficients: list[NDArray[Any]] = []

    def add(
        self, source: int, target: NDArray[Any], transitions: Transitions, where: object
    ) -> None:
        """Adds the transitions out of vertex `source` (0: the start) to vertices `target`."""
        width = transitions.coefficients.shape[1]
        if width and (width != self.width or self._width_is_of_start):
            self._settle_width(width, source, where)
        self._source.append(source)
        self._count.append(target.shape[0])
        self._target.append(target)
        self._base.append(transitions.base)
        self._coefficients.append(transitions.coefficients)
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

    def close_chunk(self) -> None:
        """Joins what came since the last chunk."""
        if not self._source:
            return
        width = max(part.shape[1] for part in self._coefficients)
        coefficients = [
            part if part.shape[1] else np.zeros((base.shape[0], width))
            for part, base in zip(self._coefficients, self._base, strict=True)
        ]
        self.chunks.append(
            EdgeChunk(
                np.repeat(np.array(self._source, np.int64), self._count),
                np.concatenate(self._target),
                np.concatenate(self._base).astype(np.float64),
                np.concatenate(coefficients).astype(np.float64),
            )
        )
        self._reset()
