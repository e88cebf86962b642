"""Exploring a callback, one state at a time.

The callback gets an empty array for the start and returns the start edges; for a state it returns
the transitions out of it. States are numbered in order of first appearance.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError
from .explored import Explored, Source, UserCode, build, declared, to_int32, too_large
from .quick_read import INT64, Columns, QuickReader
from .transition_log import TransitionLog
from .transitions import Transitions, as_list, read
from .watch import tell

Callback = Callable[..., Any]
# How often states are looked at for numbers beyond 32 bits.
_STATES_PER_CHECK = 1024


def bind_arguments(callback: Callback, arguments: Mapping[str, Any]) -> Callback:
    """The callback with those of the keyword arguments that it takes."""
    if not arguments:
        return callback
    parameters = inspect.signature(callback).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return partial(callback, **arguments)
    named = {
        parameter.name
        for parameter in list(parameters)[1:]
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    return partial(callback, **{key: arguments[key] for key in named & arguments.keys()})


class CallbackRule:
    """A state space given by a callback and, if it does not answer the empty state, start edges."""

    def __init__(
        self,
        callback: Callback,
        arguments: Mapping[str, Any],
        start: Sequence[object] | None,
        parameterized: bool | None,
        n_parameters: int | None,
        state_length: int | None,
    ) -> None:
        self.callback = bind_arguments(callback, arguments)
        self.start = start
        self.parameterized = parameterized
        self.n_parameters = n_parameters
        self.state_length = state_length

    def explore(self, discrete: bool, max_vertices: int) -> Explored:
        """Calls the callback for every state that can be reached.

        Raises:
            GraphError: the callback raised, or returned what is no list of transitions.
            TraceError: more than max_vertices states.
        """
        source = Source()
        running = UserCode("callback", source)
        log = TransitionLog()
        numbers: dict[bytes, int] = {}
        found: list[bytes] = []

        def follow(vertex: int, columns: Columns) -> None:
            target = []
            for key in columns.keys:
                number = numbers.get(key)
                if number is None:
                    found.append(key)
                    number = numbers[key] = len(found)
                target.append(number)
            log.add(vertex, target, columns, source)

        with running:
            result = self.callback(np.array([])) if self.start is None else self.start
            edges = as_list(result, max_vertices, source)
        if not edges:
            # Freezing says what is missing.
            return build(discrete, 0, np.zeros((0, 0), np.int32), [])
        transitions = read(edges, self.state_length, self.parameterized, source)
        state_length = transitions.states.shape[1]
        if state_length == 0:
            raise GraphError(
                "states have length 0",
                code="CALLBACK_RESULT",
                hint="a state has one number at least, e.g. [n]",
            )
        follow(0, _columns(transitions))

        def states(first: int, last: int) -> NDArray[np.int32]:
            def came_from(row: int) -> str:
                source.key = None
                vertex = log.first_source(first + row + 1)
                if vertex:
                    source.key = found[vertex - 1]
                return str(source)

            rows = np.frombuffer(b"".join(found[first:last]), INT64).reshape(-1, state_length)
            return to_int32(rows, came_from)

        quick = QuickReader(state_length, self.parameterized)
        # `found` grows meanwhile.
        for vertex, key in enumerate(found, 1):
            if len(found) > max_vertices:
                raise too_large(states(0, max_vertices), max_vertices)
            source.key = key
            # A copy: the callback may change it.
            state = np.frombuffer(key, INT64).copy()
            with running:
                edges = as_list(self.callback(state), max_vertices, source)
            if edges:
                columns = quick.read(edges)
                if columns is None:
                    slow = read(edges, state_length, self.parameterized, source)
                    columns = _columns(slow)
                follow(vertex, columns)
            if vertex % _STATES_PER_CHECK == 0:
                states(vertex - _STATES_PER_CHECK, vertex)
                tell(vertex, len(found))
        log.close_chunk()
        n_parameters = declared(self.n_parameters, log.width)
        return build(discrete, n_parameters, states(0, len(found)), log.chunks)


def _columns(transitions: Transitions) -> Columns:
    states = transitions.states.astype(INT64)
    return Columns(
        [state.tobytes() for state in states],
        transitions.base.tolist(),
        transitions.coefficients.shape[1],
        transitions.coefficients.ravel().tolist(),
    )
