"""`Process`: variables, parameters and transitions, compiled to a batch rule.

What is compiled: of each transition the guard, the base and a coefficient for each parameter, as
functions on columns of states; and the change as a vector. A transition exists in the states where
its guard holds and its rate is not 0 for every theta.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import GraphError
from ..graph import Graph
from ..state_space.labels import state_label
from .expressions import FUNCTIONS, Array, Formula, Function, Names, parse
from .transition import Transition

Start = Mapping[str, int] | Sequence[tuple[Mapping[str, int], float]]
Arrays = tuple[NDArray[np.intp], NDArray[np.int64], Array, Array]


@dataclass(frozen=True)
class _Condition:
    what: str
    formula: Function

    def holds(self, values: Mapping[str, Array], count: int) -> NDArray[np.bool_]:
        """(count,): where it is not 0."""
        with np.errstate(all="ignore"):
            found = np.broadcast_to(np.asarray(self.formula(values)), (count,))
        if np.isnan(found).any():
            row = int(np.flatnonzero(np.isnan(found))[0])
            state = {name: int(column[row]) for name, column in values.items()}
            raise GraphError(
                f"{self.what} has no value at {_shown(state)}",
                code="DECLARATION",
                hint="does it divide 0 by 0?",
            )
        return found != 0


@dataclass(frozen=True)
class _Compiled:
    name: str
    change: NDArray[np.int64]  # (n_variables,)
    rate: Formula
    guard: _Condition | None


class Process:
    """Counts that change by named transitions.

    Args:
        variables: names of the counts, which are a state; none is ever negative.
        parameters: names of the entries of theta.
        transitions: what may happen.
        constants: numbers that formulas may name.
        absorbing: a formula without parameters; nothing happens in states where it is not 0.
        discrete: whether rates are probabilities of steps.

    Raises:
        GraphError: a name or a formula that is wrong, in the words of the transition.

    Example:
        >>> sir = Process(
        ...     variables=["S", "I"],
        ...     parameters=["beta", "gamma"],
        ...     transitions=[
        ...         Transition("infection", {"S": -1, "I": +1}, rate="beta * S * I / N"),
        ...         Transition("recovery", {"I": -1}, rate="gamma * I"),
        ...     ],
        ...     constants={"N": 2},
        ... )
        >>> graph = sir.graph(start={"S": 1, "I": 1})
        >>> round(graph.at([2.0, 1.0]).mean(), 12)
        1.25
    """

    def __init__(
        self,
        variables: Sequence[str],
        parameters: Sequence[str],
        transitions: Sequence[Transition],
        *,
        constants: Mapping[str, float] | None = None,
        absorbing: str | None = None,
        discrete: bool = False,
    ) -> None:
        self.variables = tuple(variables)
        self.parameters = tuple(parameters)
        self.discrete = discrete
        self._names = Names(self.variables, self.parameters, dict(constants or {}))
        _check_names([*self.variables, *self.parameters, *self._names.constants])
        _check_constants(self._names.constants)
        self._absorbing = self._condition(absorbing, "what is absorbing")
        self._transitions = [self._compile(transition) for transition in transitions]

    def graph(
        self,
        start: Start,
        *,
        known_states: ArrayLike | None = None,
        improper: bool = False,
        max_vertices: int | None = None,
    ) -> Graph:
        """The graph of the process.

        Args:
            start: values of the variables, 0 where not given; or a list of such with their
                probabilities.
            known_states, improper, max_vertices: as for `Graph`.

        Raises:
            GraphError: start names what is no variable, or has numbers that are no counts.
        """
        entries = [(start, 1.0)] if isinstance(start, Mapping) else start
        none = [0.0] * len(self.parameters)
        edges = [(self._state(state), weight, none) for state, weight in entries]
        return Graph(
            rule=self.rule,
            start=edges,
            discrete=self.discrete,
            parameter_names=self.parameters,
            state_names=self.variables,
            known_states=known_states,
            improper=improper,
            max_vertices=max_vertices,
        )

    def rule(self, states: NDArray[np.int64]) -> Arrays:
        """The batch rule: all transitions out of the states (m, n_variables).

        Raises:
            GraphError: a rate that is no finite number, or a count below 0.
        """
        live = np.arange(states.shape[0])
        if self._absorbing is not None:
            live = live[~self._absorbing.holds(self._columns(states), live.size)]
        found = [self._apply(transition, states, live) for transition in self._transitions]
        width = len(self.parameters)
        found.append((live[:0], states[:0], np.zeros(0), np.zeros((0, width))))
        source, after, base, coefficients = (
            np.concatenate(part) for part in zip(*found, strict=True)
        )
        return source, after, base, coefficients

    def _apply(
        self, transition: _Compiled, states: NDArray[np.int64], live: NDArray[np.intp]
    ) -> Arrays:
        rows = live
        if transition.guard is not None:
            values = self._columns(states[rows])
            rows = rows[transition.guard.holds(values, rows.size)]
        before = states[rows]
        values = self._columns(before)
        forms = np.zeros((rows.size, 1 + len(self.parameters)))
        with np.errstate(all="ignore"):
            if transition.rate.base is not None:
                forms[:, 0] = transition.rate.base(values)
            for k, part in transition.rate.coefficients.items():
                forms[:, 1 + k] = part(values)
        finite = np.isfinite(forms).all(axis=1)
        if not finite.all():
            self._refuse(transition, before[~finite][0], "has no finite rate", "guard it by when=")
        happens = forms.any(axis=1)
        rows, before, forms = rows[happens], before[happens], forms[happens]
        after = before + transition.change
        below = (after < 0).any(axis=1)
        if below.any():
            self._refuse(
                transition,
                before[below][0],
                f"leads to {state_label(after[below][0])}, a count below 0",
                "make its rate 0 there, or guard it by when=",
            )
        return rows, after, forms[:, 0], forms[:, 1:]

    def _columns(self, states: NDArray[np.int64]) -> dict[str, Array]:
        return dict(zip(self.variables, states.T.astype(np.float64), strict=True))

    def _compile(self, transition: Transition) -> _Compiled:
        what = f"{transition.name!r}"
        change = np.zeros(len(self.variables), np.int64)
        for name, amount in transition.change.items():
            change[self._variable(name, f"the change of {what}")] = _whole(amount, what, name)
        guard = None if transition.when == "1" else transition.when
        return _Compiled(
            transition.name,
            change,
            parse(transition.rate, self._names, f"the rate of {what}"),
            self._condition(guard, f"when of {what}"),
        )

    def _condition(self, text: str | None, what: str) -> _Condition | None:
        if text is None:
            return None
        # Parameters are not among its names: whether a transition exists is no matter of theta.
        names = Names(self.variables, (), self._names.constants)
        formula = parse(text, names, what).base
        assert formula is not None  # only parameters have a part that is left out
        return _Condition(what, formula)

    def _state(self, values: Mapping[str, int]) -> list[int]:
        state = [0] * len(self.variables)
        for name, value in values.items():
            state[self._variable(name, "start")] = _whole(value, "start", name)
        if min(state, default=0) < 0:
            raise GraphError(
                f"start is {dict(values)}, with a count below 0",
                code="DECLARATION",
                hint="counts are 0 or more",
            )
        return state

    def _variable(self, name: str, what: str) -> int:
        if name not in self.variables:
            raise GraphError(
                f"{what} names {name!r}, which is no variable",
                code="DECLARATION",
                hint=f"variables are {', '.join(self.variables)}",
            )
        return self.variables.index(name)

    def _refuse(
        self, transition: _Compiled, state: NDArray[np.int64], message: str, hint: str
    ) -> NoReturn:
        values = dict(zip(self.variables, state.tolist(), strict=True))
        raise GraphError(
            f"{transition.name!r} {message} at {_shown(values)}", code="DECLARATION", hint=hint
        )


def _shown(values: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _whole(value: object, what: str, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise GraphError(
            f"{what} has {value!r} for {name}, expected a whole number",
            code="DECLARATION",
            hint='as in {"S": -1, "I": +1}',
        )
    return int(value)


def _check_names(names: Sequence[str]) -> None:
    for k, name in enumerate(names):
        fits = isinstance(name, str) and name.isidentifier() and not iskeyword(name)
        if not fits or name in FUNCTIONS:
            why = "stands for a function" if name in FUNCTIONS else "is no name"
        elif name in names[:k]:
            why = "is declared twice"
        else:
            continue
        raise GraphError(
            f"{name!r} {why}",
            code="DECLARATION",
            hint="variables, parameters and constants have different names, like S or beta",
        )


def _check_constants(constants: Mapping[str, object]) -> None:
    for name, value in constants.items():
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not np.isfinite(value):  # type: ignore[call-overload]
            raise GraphError(
                f"the constant {name} is {value!r}, expected a finite number",
                code="DECLARATION",
                hint='as in constants={"N": 100}',
            )
