"""Exploring a callback, one state at a time.

The callback gets an empty array for the start and returns the start edges; for a state it returns
the transitions out of it. States are numbered by a hash table in C in order of first appearance.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._engine.state_index import StateIndex
from ..errors import GraphError
from .explored import Explored, Source, UserCode, build, declared, to_int32, too_large
from .transition_log import TransitionLog
from .transitions import Transitions, as_list, read

Callback = Callable[..., Any]


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

        index = StateIndex(state_length, max_vertices)
        log = TransitionLog()
        waiting: deque[NDArray[np.int64]] = deque()

        def follow(vertex: int, transitions: Transitions) -> None:
            states = transitions.states.astype(np.int64, copy=False)
            known = len(index)
            target = index.insert(to_int32(states, source))
            if target is None:
                raise too_large(index, max_vertices)
            if len(index) > known:
                # New numbers appear in ascending order.
                for row, number in enumerate(target.tolist()):
                    if number == known:
                        waiting.append(states[row])
                        known += 1
            log.add(vertex, target + 1, transitions, source)

        follow(0, transitions)
        vertex = 0
        while waiting:
            state = waiting.popleft()
            vertex += 1
            source.state = state
            with running:
                edges = as_list(self.callback(state.copy()), max_vertices, source)
            if edges:
                follow(vertex, read(edges, state_length, self.parameterized, source))
        log.close_chunk()
        n_parameters = declared(self.n_parameters, log.width)
        return build(discrete, n_parameters, index.states(), log.chunks)
