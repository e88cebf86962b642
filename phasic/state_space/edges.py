"""Edges collected in chunks until the number of parameters is known, then handed to the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._engine.graph import GraphHandle
from .._engine.status import Context
from .labels import transition_label


@dataclass
class EdgeChunk:
    """Edges by vertex number; coefficients (count, width), width 0 for constants."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    base: NDArray[np.float64]
    coefficients: NDArray[np.float64]


def add_chunk(handle: GraphHandle, chunk: EdgeChunk, label: Callable[[int], str]) -> None:
    """Adds one chunk; narrower coefficients are filled up with zeros."""

    def edge(number: int) -> str:
        return transition_label(label(int(chunk.source[number])), label(int(chunk.target[number])))

    width = chunk.coefficients.shape[1]
    coefficients: NDArray[np.float64] | None = None
    if width == handle.n_parameters and width:
        coefficients = np.ascontiguousarray(chunk.coefficients, np.float64)
    elif width:
        coefficients = np.zeros((chunk.base.shape[0], handle.n_parameters))
        coefficients[:, :width] = chunk.coefficients
    handle.add_edges(
        np.ascontiguousarray(chunk.source, np.int64),
        np.ascontiguousarray(chunk.target, np.int64),
        np.ascontiguousarray(chunk.base, np.float64),
        coefficients,
        Context(edge=edge),
    )
