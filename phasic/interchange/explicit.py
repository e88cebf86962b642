"""What Storm's and PRISM's explicit formats share: states from 0, labels, rows, rewards.

They have one state to start in, without a vertex for the start; states that are never left have a
self-loop there. Of a discrete model the rows sum to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, FormatError, NumericError
from ..graph import Graph
from .edge_table import Edges, EdgeTable

ABSORBED = "absorbed"
# How far a row of probabilities may be from 1 by the digits that were printed, and by rounding.
_PRINTED = 1e-6
_ROUNDED = 1e-15


@dataclass
class ExplicitModel:
    """A model as read, states numbered from 0.

    Attributes:
        path: the file.
        n_states: how many.
        discrete: whether weights are probabilities of steps.
        parameters: names.
        edges: between states.
        labels: the states of each label, `init` among them.
        states: (n_states, state_length), or None.
        state_names: (state_length,), or None.
        rewards: (n_states,) by name.
        instant: the state to start in that is left at once, if there is one: it is the start.
    """

    path: str
    n_states: int
    discrete: bool
    parameters: Sequence[str]
    edges: Edges
    labels: dict[str, list[int]] = field(default_factory=dict)
    states: NDArray[np.int64] | None = None
    state_names: Sequence[str] | None = None
    rewards: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    instant: int | None = None

    def table(self, target: str | None) -> EdgeTable:
        """The edges of the graph, which is absorbed in states never left or labelled `target`.

        Raises:
            FormatError: no state to start in or several, a label that is none, or rows of
                probabilities that do not sum to 1.
        """
        source, goal, base, coefficients = self.edges.arrays()
        if self.discrete:
            base = self._normalised(source, goal, base, coefficients)
        keep = source != goal  # a loop is nothing in time, and in steps what the others leave
        keep &= ~np.isin(source, self._targets(target))
        source, goal, base, coefficients = (
            part[keep] for part in (source, goal, base, coefficients)
        )
        if self.instant is None:
            # A vertex for the start, before all others.
            source, goal = np.append(source, -1) + 1, np.append(goal, self._initial()) + 1
            base = np.append(base, 1.0)
            coefficients = np.vstack([coefficients, np.zeros((1, coefficients.shape[1]))])
        else:
            number = self._numbers()
            source, goal = number[source], number[goal]
        order = np.argsort(source, kind="stable")
        states = self.states
        if states is not None:
            states = self._with_start(states)
        return EdgeTable(
            source[order],
            goal[order],
            base[order],
            coefficients[order],
            self.parameters,
            self.n_states + (self.instant is None),
            states,
            self.state_names,
            self.discrete,
        )

    def _numbers(self) -> NDArray[np.int64]:
        """The vertex of each state where one of them is the start."""
        states = np.arange(self.n_states)
        return np.where(states == self.instant, 0, states + (states < (self.instant or 0)))

    def _with_start(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (n_states, …) as (n_vertices, …), with zeros for the start."""
        if self.instant is not None:
            values = np.delete(values, self.instant, axis=0)
        return np.concatenate([np.zeros((1, *values.shape[1:]), values.dtype), values])

    def graph_rewards(self) -> dict[str, NDArray[np.float64]]:
        """The rewards in the order of the graph's states."""
        order = self.table(None).order()
        return {name: self._with_start(own)[order] for name, own in self.rewards.items()}

    def _targets(self, target: str | None) -> list[int]:
        if target is None:
            return []
        if target not in self.labels:
            raise FormatError(
                f"{self.path} has no label {target!r}",
                code="FILE_LABEL",
                hint=f"labels are {', '.join(sorted(self.labels)) or 'none'}",
            )
        return self.labels[target]

    def _initial(self) -> int:
        found = self.labels.get("init", [])
        if len(found) != 1:
            raise FormatError(
                f"{self.path} has {len(found)} states labelled init, expected one",
                code="FILE_INITIAL",
                hint="a distribution over several states has its place in an edge list",
            )
        return found[0]

    def _normalised(
        self,
        source: NDArray[np.int64],
        goal: NDArray[np.int64],
        base: NDArray[np.float64],
        coefficients: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Probabilities that sum to 1 beyond the digits that were printed.

        The engine takes what a row lacks to 1 for staying; without this the last digit of a printed
        third would be a chance to stay.
        """
        total = np.bincount(source, base, minlength=self.n_states)
        slope = np.zeros((self.n_states, coefficients.shape[1]))
        np.add.at(slope, source, coefficients)
        leaves = np.bincount(source, minlength=self.n_states) > 0
        off = np.abs(total - 1)
        wrong = leaves & ((off > _PRINTED) | (np.abs(slope) > _PRINTED).any(axis=1))
        if wrong.any():
            state = int(np.flatnonzero(wrong)[0])
            raise FormatError(
                f"{self.path}: the probabilities of leaving state {state} sum to"
                f" {float(total[state])!r}, expected 1",
                code="FILE_ROW_SUM",
                hint="are they rates? then the model is no DTMC",
            )
        counts = np.bincount(source, minlength=self.n_states)
        rounded = leaves & (off > _ROUNDED * counts) & ~slope.any(axis=1)
        scaled: NDArray[np.float64] = np.where(rounded[source], base / total[source], base)
        return scaled


@dataclass(frozen=True)
class Row:
    """A state as it is written: where it goes, staying included, as (target, forms).

    `forms` are (1 + n_parameters,): base and coefficients.
    """

    targets: list[int]
    forms: list[list[float]]
    absorbing: bool


class ExplicitTable:
    """A graph as it is written, states numbered from 0."""

    def __init__(self, graph: Graph, theta: ArrayLike | None, path: str, format_name: str) -> None:
        table = EdgeTable.of(graph, theta)
        self.graph, self.path, self._format = graph, path, format_name
        self.discrete = table.discrete
        self.parameters = table.parameters
        self.n_states = table.n_vertices - 1
        self.states = None if table.states is None else table.states[1:]
        self.state_names = table.state_names
        from_start = table.source == 0
        self.start = (table.target[from_start] - 1).tolist()
        self.start_forms = np.column_stack([table.base[from_start], table.coefficients[from_start]])
        self._source = table.source[~from_start] - 1
        self._target = table.target[~from_start] - 1
        self._forms = np.column_stack([table.base[~from_start], table.coefficients[~from_start]])
        # Edges come in the order of their sources.
        self._first = np.searchsorted(self._source, np.arange(self.n_states + 1))

    def initial(self) -> int:
        """The state to start in.

        Raises:
            ConfigError: there are several.
        """
        if len(self.start) > 1:
            raise ConfigError(
                f"{self.path}: the graph starts in {len(self.start)} vertices, and {self._format}"
                " has one state to start in",
                code="FILE_START",
                hint="write an edge list, as in model.csv",
            )
        return int(self.start[0])

    def row(self, state: int) -> Row:
        """What leaves a state; of a discrete model with what is left for staying."""
        first, last = int(self._first[state]), int(self._first[state + 1])
        targets = self._target[first:last].tolist()
        forms = self._forms[first:last].tolist()
        if not targets:
            return Row([], [], absorbing=True)
        if not np.any(forms):
            raise NumericError(
                f"FATAL: {self.graph.frozen.label(state + 1)} is never left at theta",
                code="ABSORPTION_UNREACHABLE",
                hint="give a theta at which its rates are not all 0",
            )
        if self.discrete:
            # The rest is 1 minus the others, a loop that is there among them or not.
            others = [k for k, target in enumerate(targets) if target != state]
            rest = [
                fsum([1.0 if part == 0 else 0.0, *(-forms[k][part] for k in others)])
                for part in range(1 + len(self.parameters))
            ]
            pairs = [(targets[k], forms[k]) for k in others]
            if abs(rest[0]) > _ROUNDED * len(targets) or any(rest[1:]):
                pairs.append((state, rest))
            targets, forms = map(list, zip(*sorted(pairs), strict=True))
        return Row(targets, forms, absorbing=False)


def checked_rewards(
    graph: Graph, rewards: Mapping[str, ArrayLike] | None, path: str
) -> dict[str, NDArray[np.float64]]:
    """Rewards to write, (n_states,) by name, the start's left out.

    Raises:
        ConfigError: they do not fit.
    """
    checked = {}
    for name, values in (rewards or {}).items():
        array = np.asarray(values, dtype=np.float64)
        fits = array.shape == (graph.n_vertices,) and np.isfinite(array).all()
        if not fits or not name.isidentifier():
            raise ConfigError(
                f"{path}: rewards {name!r} have shape {array.shape}, expected finite numbers"
                f" ({graph.n_vertices},) and a name that is an identifier",
                code="FILE_REWARDS",
                hint="in the order of graph.states()",
            )
        checked[name] = array[1:]
    return checked
