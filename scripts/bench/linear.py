"""The linear system behind the mean: (-S) x = 1 over the transient vertices, by columns."""

from dataclasses import dataclass

import numpy as np
from models import Arrays, Floats
from numpy.typing import NDArray


@dataclass(frozen=True)
class Columns:
    """-S in compressed columns, one row of values a theta; x[start] is the mean."""

    n: int
    column_start: NDArray[np.int32]  # (n + 1,)
    row: NDArray[np.int32]  # (entries,), ascending within a column
    values: Floats  # (n_thetas, entries)
    start: int


def columns(arrays: Arrays, thetas: Floats) -> Columns:
    """The system at each theta, all with one pattern."""
    transient = arrays.transient
    n = int(transient.sum())
    number = np.cumsum(transient) - 1
    source, target = number[arrays.source], number[arrays.target]
    inner = transient[arrays.target]
    row = np.concatenate([source, source[inner]])
    column = np.concatenate([source, target[inner]])
    place, entry = np.unique(column * n + row, return_inverse=True)
    values = np.empty((len(thetas), len(place)))
    for k, weights in enumerate(arrays.weights(thetas)):
        values[k] = np.bincount(
            entry, weights=np.concatenate([weights, -weights[inner]]), minlength=len(place)
        )
    column_start = np.searchsorted(place, n * np.arange(n + 1, dtype=np.int64))
    return Columns(
        n, column_start.astype(np.int32), (place % n).astype(np.int32), values, int(number[0])
    )
