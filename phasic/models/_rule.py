"""What a batch rule takes and gives, and the checks that models share."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from phasic.errors import GraphError

States: TypeAlias = NDArray[np.int64]
# source_row (k,), next_states (k, state_length), base (k,), coefficients (k, n_parameters)
Transitions: TypeAlias = tuple[NDArray[np.intp], States, NDArray[np.float64], NDArray[np.float64]]


def whole_number(name: str, value: object, minimum: int) -> int:
    """`value` as an int, or a GraphError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
        raise GraphError(
            f"{name} is {value!r}, expected a whole number of at least {minimum}",
            code="MODEL_ARGUMENT",
            hint=f"pass {name}={minimum} or more",
        )
    return int(value)


def replicate(counts: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each of `counts` items: its number, and its position 0, 1, … within its repeats."""
    item = np.repeat(np.arange(counts.size), counts)
    ends = np.cumsum(counts)
    position = np.arange(item.size) - np.repeat(ends - counts, counts)
    return item, position


def real_number(name: str, value: object, low: float, high: float) -> float:
    """`value` as a float with low < value < high, or a GraphError that names the argument."""
    is_number = isinstance(value, (int, float, np.integer, np.floating))
    if isinstance(value, bool) or not is_number or not low < value < high:  # type: ignore[operator]
        raise GraphError(
            f"{name} is {value!r}, expected a number between {low:g} and {high:g}",
            code="MODEL_ARGUMENT",
            hint=f"pass {name}={(low + min(high, low + 2)) / 2:g}, for example",
        )
    return float(value)  # type: ignore[arg-type]


def chain(first: int, last: int) -> States:
    """The states (first,), …, (last,) of a model that counts one thing, as `known_states`."""
    return np.arange(first, last + 1, dtype=np.int64)[:, np.newaxis]
