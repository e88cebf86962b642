"""What exploring a rule gives, and how it fails where a rule has no end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._engine.graph import GraphHandle
from ..errors import GraphError, PhasicError, TraceError
from .edges import EdgeChunk, add_chunk
from .labels import state_label

_LAST_SHOWN = 5


class Explored(NamedTuple):
    """A graph not yet frozen, and the names of its vertices by their numbers as added."""

    handle: GraphHandle
    label: Callable[[int], str]


def build(
    discrete: bool,
    n_parameters: int,
    states: NDArray[np.int32],
    chunks: Iterable[EdgeChunk],
    label: Callable[[int], str] | None = None,
) -> Explored:
    """Puts explored states (numbered from 1) and their edges into the engine."""

    def state_of(vertex: int) -> str:
        if vertex == 0:
            return "start"
        return state_label(states[vertex - 1]) if states.shape[1] else str(vertex)

    label = label or state_of
    handle = GraphHandle(discrete, n_parameters, states.shape[1])
    handle.add_vertices(states.shape[0], states)
    for chunk in chunks:
        add_chunk(handle, chunk, label)
    return Explored(handle, label)


class Source:
    """The state that is being explored; its text is made only where a message needs it."""

    def __init__(self) -> None:
        self.key: bytes | None = None

    def __str__(self) -> str:
        if self.key is None:
            return "the empty state (start edges)"
        return f"state {state_label(np.frombuffer(self.key, np.int64))}"


def declared(n_parameters: int | None, width: int) -> int:
    """The number of parameters: as declared, else as seen in the coefficients.

    Raises:
        GraphError: more coefficients than declared parameters.
    """
    if n_parameters is None:
        return width
    if width > n_parameters:
        raise GraphError(
            f"the rule gave {width} coefficients, but n_parameters is {n_parameters}",
            code="CALLBACK_RESULT",
            hint="leave n_parameters out, or give the length of theta",
        )
    return n_parameters


def to_int32(states: NDArray[Any]) -> NDArray[np.int32]:
    """States (count, state_length) as the engine keeps them.

    Raises:
        GraphError: a number beyond 32 bits.
    """
    narrow = np.ascontiguousarray(states, np.int32)
    wrapped = narrow != states
    if wrapped.any():
        far = states[wrapped.any(axis=1)][0]
        raise GraphError(
            f"there is a state {state_label(far)}; states hold 32-bit integers",
            code="STATE_RANGE",
            hint="is the rule finite? states are expected to be small counts",
        )
    return narrow


def too_large(states: NDArray[np.int32], max_vertices: int) -> TraceError:
    """The error of a rule that has more states than it may; these are those that fit."""
    last = ", ".join(state_label(state) for state in states[-_LAST_SHOWN:])
    return TraceError(
        f"FATAL: trace cannot be recorded: the rule has more than max_vertices = "
        f"{max_vertices:,} states; state length {states.shape[1]}; the last states seen are "
        f"{last}",
        code="GRAPH_TOO_LARGE",
        hint="a rule without end is likely: which number grows? If the state space is finite, "
        "give a larger max_vertices",
    )


class UserCode:
    """Runs a user's function: what it raises is kept as `__cause__`, and the state is named."""

    def __init__(self, name: str, source: object) -> None:
        self.name = name
        self.source = source

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if isinstance(raised, Exception) and not isinstance(raised, PhasicError):
            what = f"{type(raised).__name__}: {raised}"
            raise GraphError(
                f"the {self.name} raised {what} at {self.source}",
                code="CALLBACK_RAISED",
                hint="the traceback of the original error is above",
            ) from raised
