"""Exploring a batch rule: whole frontiers at a time, a million states in seconds.

A rule takes states (m, state_length) and returns arrays of all their transitions:
`source_row` (k,) rows of the states, `next_states` (k, state_length), `base` (k,) and
`coefficients` (k, n_parameters) or None. Transitions to the same state add.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._engine.state_index import StateIndex
from ..errors import GraphError
from .callback import bind_arguments
from .edges import EdgeChunk
from .explored import Explored, UserCode, build, declared, to_int32, too_large
from .labels import state_label
from .transitions import Transitions, read
from .watch import tell

Rule = Callable[..., Any]
# States handed to the rule at once: large enough for numpy, small enough for its temporaries.
_FRONTIER = 16_384


class _Frontier:
    def __init__(self) -> None:
        self.states: NDArray[np.int64] = np.zeros((0, 0), np.int64)

    def __str__(self) -> str:
        if self.states.shape[0] == 0:
            return "an empty frontier"
        shown = f"{self.states.shape[0]} states from {state_label(self.states[0])}"
        return f"{shown} to {state_label(self.states[-1])}"


class BatchRule:
    """A state space given by a rule on arrays of states and its start edges."""

    def __init__(
        self,
        rule: Rule,
        arguments: Mapping[str, Any],
        start: Sequence[object],
        known_states: ArrayLike | None,
        parameterized: bool | None,
        n_parameters: int | None,
        state_length: int | None,
    ) -> None:
        self.rule = bind_arguments(rule, arguments)
        self.start = start
        self.known_states = known_states
        self.parameterized = parameterized
        self.n_parameters = n_parameters
        self.state_length = state_length

    def explore(self, discrete: bool, max_vertices: int) -> Explored:
        """Applies the rule to every state that is known or can be reached.

        Raises:
            GraphError: the rule raised, or returned what it should not.
            TraceError: more than max_vertices states.
        """
        if not self.start:
            return build(discrete, 0, np.zeros((0, 0), np.int32), [])
        start = read(self.start, self.state_length, self.parameterized, "the start edges")
        state_length = start.states.shape[1]
        index = StateIndex(state_length, max_vertices)
        frontier = _Frontier()
        running = UserCode("rule", frontier)

        def numbers(transitions: Transitions, came_from: Callable[[int], str]) -> NDArray[np.int64]:
            found = index.insert(to_int32(transitions.states, came_from))
            if found is None:
                raise too_large(index.states(), max_vertices)
            return found + 1

        target = numbers(start, lambda row: "the start")
        chunks = [EdgeChunk(np.zeros_like(target), target, start.base, start.coefficients)]
        if self.known_states is not None:
            shape = (None, state_length)
            known = _array(self.known_states, "known_states", "iu", shape, "its known states")
            if index.insert(to_int32(known)) is None:
                raise too_large(index.states(), max_vertices)
        done = width = 0
        while done < len(index):
            last = min(len(index), done + _FRONTIER)
            frontier.states = index.states(done, last).astype(np.int64)
            with running:
                result = self.rule(frontier.states)
            source, transitions = _read_result(result, last - done, state_length, frontier)
            own_width = transitions.coefficients.shape[1]
            if own_width and width and own_width != width:
                _refuse(frontier, f"returned {own_width} coefficients, before it were {width}")
            width = width or own_width
            if source.size:
                target = numbers(transitions, partial(_source_label, frontier.states, source))
                base, coefficients = transitions.base, transitions.coefficients
                chunks.append(EdgeChunk(source + (done + 1), target, base, coefficients))
            done = last
            tell(done, len(index))
        width = max(width, start.coefficients.shape[1])
        if self.parameterized is False and any(chunk.coefficients.any() for chunk in chunks):
            _refuse(
                frontier,
                "returned coefficients, but the graph is built with parameterized=False",
            )
        return build(discrete, declared(self.n_parameters, width), index.states(), chunks)


def _source_label(states: NDArray[np.int64], source: NDArray[np.int64], row: int) -> str:
    return f"state {state_label(states[source[row]])}"


def _read_result(
    result: object, n_states: int, state_length: int, where: object
) -> tuple[NDArray[np.int64], Transitions]:
    if not isinstance(result, tuple | list) or len(result) != 4:
        _refuse(where, f"returned {type(result).__name__}, not a tuple of four arrays")
    source = _array(result[0], "source_row", "iu", (None,), where)
    states = _array(result[1], "next_states", "iu", (source.shape[0], state_length), where)
    base = _array(result[2], "base", "iuf", (source.shape[0],), where)
    if result[3] is None:
        coefficients = np.zeros((source.shape[0], 0))
    else:
        coefficients = _array(result[3], "coefficients", "iuf", (source.shape[0], None), where)
    if source.size and not 0 <= source.min() <= source.max() < n_states:
        _refuse(where, f"returned source rows outside 0..{n_states - 1}")
    return (
        source.astype(np.int64, copy=False),
        Transitions(states, base.astype(np.float64, copy=False), coefficients),
    )


def _array(
    value: object, name: str, kinds: str, shape: tuple[int | None, ...], where: object
) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError:
        _refuse(where, f"returned {name} that is no array")
    if array.size == 0 and array.dtype.kind not in kinds:
        # An empty list has no integer type of its own.
        array = array.astype(np.int64)
    wrong_shape = array.ndim != len(shape) or any(
        expected is not None and length != expected
        for length, expected in zip(array.shape, shape, strict=True)
    )
    if wrong_shape and not (array.size == 0 and 0 in shape):
        wanted = tuple("any" if length is None else length for length in shape)
        _refuse(where, f"returned {name} of shape {array.shape}; expected {wanted}")
    if array.dtype.kind not in kinds:
        _refuse(where, f"returned {name} of type {array.dtype}")
    if wrong_shape:
        return array.reshape(tuple(length or 0 for length in shape))
    return array


def _refuse(where: object, what: str) -> NoReturn:
    raise GraphError(
        f"the rule at {where} {what}",
        code="RULE_RESULT",
        hint="a rule returns (source_row, next_states, base, coefficients)",
    )
