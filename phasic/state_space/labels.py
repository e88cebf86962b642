"""States as the user writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

SHOWN = 12


def state_label(state: Iterable[int]) -> str:
    """`(3, 0, 1)`, the middle left out where it is long."""
    numbers = [str(int(value)) for value in state]
    if len(numbers) > SHOWN:
        numbers = [*numbers[: SHOWN // 2], "…", *numbers[-SHOWN // 2 :]]
    return f"({', '.join(numbers)}{',' if len(numbers) == 1 else ''})"


def vertex_labeller(states: NDArray[np.int32]) -> Callable[[int], str]:
    """Labels of vertices whose states are given, the start's row included."""

    def label(vertex: int) -> str:
        if vertex == 0:
            return "start"
        if states.shape[1] == 0 or not 0 <= vertex < states.shape[0]:
            return str(vertex)
        return state_label(states[vertex])

    return label


def transition_label(source: str, target: str) -> str:
    if source == "start":
        return f"the start edge to {target}"
    return f"the transition {source} -> {target}"


def theta_label(theta: NDArray[np.float64]) -> str:
    """`theta = [1.0, 0.5]`, cut where it is long."""
    numbers = [repr(float(value)) for value in theta[:SHOWN]]
    return f"theta = [{', '.join(numbers)}{', …' if theta.shape[0] > SHOWN else ''}]"
