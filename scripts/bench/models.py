"""The models that are timed, as batch rules and as plain arrays.

A rule takes a frontier of states, an int array (m, state_length), and returns its transitions as
`(source_row, next_states, base, coefficients)`. `explore` walks a rule breadth first with numpy
alone, so that the arrays which every contender receives do not come from the engine under test.

Absorbing states have no transition. Every base weight is 0: phasic 0.32.1 ignores base weights, and
a model that had one would be another model there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Transitions = tuple[Ints, Ints, Floats, Floats]
Rule = Callable[[Ints], Transitions]


@dataclass(frozen=True)
class Model:
    """A batch rule with its one starting state and the theta that it is timed around."""

    name: str
    rule: Rule
    start: tuple[int, ...]
    theta: Floats
    # Closed forms, where there are any: the mean at theta, and its gradient (n_parameters,).
    mean: Callable[[Floats], float] | None = None
    gradient: Callable[[Floats], Floats] | None = None


@dataclass(frozen=True)
class Arrays:
    """A model explored: vertex 0 holds the starting state, absorbing vertices have no edge."""

    name: str
    theta: Floats
    states: Ints  # (n_vertices, state_length)
    source: Ints  # (n_edges,)
    target: Ints  # (n_edges,)
    base: Floats  # (n_edges,)
    coefficients: Floats  # (n_edges, n_parameters)

    @property
    def transient(self) -> NDArray[np.bool_]:
        """(n_vertices,): which vertices have an edge."""
        leaves = np.zeros(len(self.states), dtype=bool)
        leaves[self.source] = True
        return leaves

    def weights(self, thetas: Floats) -> Floats:
        """(n_thetas, n_edges): the weight of every edge at every theta."""
        return self.base + thetas @ self.coefficients.T

    def save(self, path: Path, thetas: Floats, **more: Any) -> None:
        """As a .npz file for workers of peers, with the thetas that they are asked for."""
        np.savez(
            path,
            states=self.states,
            source=self.source,
            target=self.target,
            coefficients=self.coefficients,
            thetas=thetas,
            **more,
        )


class Emitter:
    """Collects the transitions of one frontier and hands them out as a rule's answer."""

    def __init__(self, states: Ints, n_parameters: int) -> None:
        self.states = states
        self._n_parameters = n_parameters
        self._rows: list[Ints] = []
        self._next: list[Ints] = []
        self._coefficients: list[Floats] = []

    def emit(
        self,
        where: NDArray[np.bool_],
        change: dict[int, int],
        parameter: int,
        rate: Floats | Ints | float,
        absorbed: NDArray[np.bool_] | None = None,
        absorbing_state: int = 0,
    ) -> None:
        """`rate * theta[parameter]` in the rows `where`, to the state with `change` added.

        Where `absorbed` holds the target is the state whose entries are all `absorbing_state`.
        """
        rows = np.flatnonzero(where)
        if not len(rows):
            return
        states = self.states[rows]
        for column, step in change.items():
            states[:, column] += step
        if absorbed is not None:
            states[absorbed[rows]] = absorbing_state
        coefficients = np.zeros((len(rows), self._n_parameters))
        coefficients[:, parameter] = np.broadcast_to(rate, len(self.states))[rows]
        self._rows.append(rows)
        self._next.append(states)
        self._coefficients.append(coefficients)

    def transitions(self) -> Transitions:
        """Everything emitted, as a rule returns it."""
        if not self._rows:
            empty = self.states[:0]
            return (
                np.empty(0, dtype=np.int64),
                empty,
                np.empty(0),
                np.empty((0, self._n_parameters)),
            )
        rows = np.concatenate(self._rows)
        return (
            rows,
            np.concatenate(self._next),
            np.zeros(len(rows)),
            np.concatenate(self._coefficients),
        )


def _pairs(count: Ints) -> Floats:
    return count * (count - 1) / 2


def coalescent(n: int) -> Model:
    """Kingman's coalescent: the number of lineages, n down to 1."""

    def rule(states: Ints) -> Transitions:
        out = Emitter(states, 1)
        out.emit(states[:, 0] > 1, {0: -1}, 0, _pairs(states[:, 0]))
        return out.transitions()

    return Model(
        f"coalescent {n}", rule, (n,), np.array([1.0]), lambda theta: 2 * (1 - 1 / n) / theta[0]
    )


def site_frequency(n: int) -> Model:
    """Kingman's coalescent by size: entry i counts the lineages with i + 1 descendants."""

    def rule(states: Ints) -> Transitions:
        out = Emitter(states, 1)
        for i in range(n):
            for j in range(i, n - i - 1):
                if i == j:
                    rate, change = _pairs(states[:, i]), {i: -2}
                else:
                    rate, change = states[:, i] * states[:, j], {i: -1, j: -1}
                change[i + j + 1] = change.get(i + j + 1, 0) + 1
                out.emit(rate > 0, change, 0, rate)
        return out.transitions()

    return Model(
        f"site frequency {n}",
        rule,
        (n,) + (0,) * (n - 1),
        np.array([1.0]),
        lambda theta: 2 * (1 - 1 / n) / theta[0],
    )


def islands(demes: int, n: int) -> Model:
    """Structured coalescent: lineages by deme; a coalescence rate a deme, then migration rates.

    The last coalescence leads to one absorbing state, in whichever deme it happens.
    """

    def rule(states: Ints) -> Transitions:
        out = Emitter(states, demes * demes)
        total = states.sum(axis=1)
        last = total == 2
        migration = demes
        for i in range(demes):
            here = states[:, i]
            out.emit(here > 1, {i: -1}, i, _pairs(here), absorbed=last)
            for j in range(demes):
                if j != i:
                    out.emit((here > 0) & (total > 1), {i: -1, j: 1}, migration, here)
                    migration += 1
        return out.transitions()

    start = tuple(n // demes + (i < n % demes) for i in range(demes))
    theta = 0.7 + 0.37 * np.arange(demes * demes) / (1 + 0.1 * np.arange(demes * demes))
    return Model(f"{demes} demes, {n} lineages", rule, start, theta)


def two_locus(n: int) -> Model:
    """Two-locus ancestral graph: lineages carrying locus A only, B only, both; rates: coalescence,
    recombination. Absorbed when both loci have found their ancestor."""

    def rule(states: Ints) -> Transitions:
        a, b, both = states.T
        out = Emitter(states, 2)
        for da, db, dboth, parameter, rate in (
            (1, 1, -1, 1, both),
            (-1, -1, 1, 0, a * b),
            (-1, 0, 0, 0, _pairs(a) + a * both),
            (0, -1, 0, 0, _pairs(b) + b * both),
            (0, 0, -1, 0, _pairs(both)),
        ):
            out.emit(rate > 0, {0: da, 1: db, 2: dboth}, parameter, rate)
        rows, after, base, coefficients = out.transitions()
        # A locus that is down to one lineage needs no further tracking.
        of_a, of_b = after[:, 0] + after[:, 2], after[:, 1] + after[:, 2]
        done_a, done_b = of_a <= 1, of_b <= 1
        after[done_a] = np.stack([0 * of_b, of_b, 0 * of_b], axis=1)[done_a]
        after[done_b] = np.stack([of_a, 0 * of_a, 0 * of_a], axis=1)[done_b]
        after[done_a & done_b] = 0
        return rows, after, base, coefficients

    return Model(f"two-locus {n}", rule, (0, 0, n), np.array([0.7, 1.0]))


def tandem(first: int, second: int) -> Model:
    """Two queues in a row with `first` and `second` places, until an arrival finds no place."""

    def rule(states: Ints) -> Transitions:
        x, y = states.T
        alive = x >= 0
        out = Emitter(states, 3)
        out.emit(alive, {0: 1}, 0, 1.0, absorbed=x == first - 1, absorbing_state=-1)
        out.emit(alive & (x > 0) & (y < second - 1), {0: -1, 1: 1}, 1, 1.0)
        out.emit(alive & (y > 0), {1: -1}, 2, 1.0)
        return out.transitions()

    return Model(f"tandem {first}x{second}", rule, (0, 0), np.array([1.0, 1.3, 1.2]))


def epidemic(population: int, waning: bool = False) -> Model:
    """SIR (susceptible, infected) until nobody is infected; SIRS where immunity wanes."""

    def rule(states: Ints) -> Transitions:
        susceptible, infected = states.T
        recovered = population - susceptible - infected
        ill = infected > 0
        out = Emitter(states, 3 if waning else 2)
        out.emit(ill & (susceptible > 0), {0: -1, 1: 1}, 0, susceptible * infected / population)
        out.emit(ill, {1: -1}, 1, infected, absorbed=infected == 1)
        if waning:
            out.emit(ill & (recovered > 0), {0: 1}, 2, recovered)
        return out.transitions()

    theta = np.array([1.5, 1.0, 0.3]) if waning else np.array([0.7, 1.036])
    kind = "SIRS" if waning else "SIR"
    return Model(f"{kind} {population}", rule, (population - 1, 1), theta)


def grid(side: int) -> Model:
    """A walk on a side x side grid from one corner until it leaves at the other; a rate a
    direction."""

    def rule(states: Ints) -> Transitions:
        alive = states[:, 0] >= 0
        corner = (states == side - 1).all(axis=1)
        out = Emitter(states, 4)
        for d in (0, 1):
            out.emit(alive & (states[:, d] < side - 1), {d: 1}, 2 * d, 1.0)
            out.emit(states[:, d] > 0, {d: -1}, 2 * d + 1, 1.0)
        out.emit(corner, {0: 0}, 0, 1.0, absorbed=corner, absorbing_state=-1)
        return out.transitions()

    return Model(f"grid {side}x{side}", rule, (0, 0), np.array([0.7, 1.036, 1.317, 1.554]))


def walk(side: int) -> Model:
    """A walk in a cube of side**3 places, with one rate up and one down: six edges a place.

    It starts in one corner and leaves at the opposite one.
    """

    def rule(states: Ints) -> Transitions:
        rows, after, parameters = [], [], []
        step = np.eye(3, dtype=states.dtype)
        corner = (states == side - 1).all(axis=1)
        for parameter, change, room in ((0, step, states < side - 1), (1, -step, states > 0)):
            room = room & (states[:, :1] >= 0)
            row, axis = np.nonzero(room)
            rows.append(row)
            after.append(states[row] + change[axis])
            parameters.append(np.full(len(row), parameter))
        rows.append(np.flatnonzero(corner))
        after.append(np.full((int(corner.sum()), 3), -1, dtype=states.dtype))
        parameters.append(np.zeros(int(corner.sum()), dtype=np.int64))
        row = np.concatenate(rows)
        coefficients = np.eye(2)[np.concatenate(parameters)]
        return row, np.concatenate(after), np.zeros(len(row)), coefficients

    return Model(f"walk {side}x{side}x{side}", rule, (0, 0, 0), np.array([1.0, 0.5]))


def overflow(places: int) -> Model:
    """M/M/1 queue from empty until it overflows `places`: rates arrival, service.

    With service ten times arrival the mean is about 10**places, a rare event.
    """

    def rule(states: Ints) -> Transitions:
        level = states[:, 0]
        out = Emitter(states, 2)
        out.emit(level < places, {0: 1}, 0, 1.0)
        out.emit((level > 0) & (level < places), {0: -1}, 1, 1.0)
        return out.transitions()

    def mean(theta: Floats) -> float:
        # Time from level k to k + 1: an idle time, then the way back as often as service wins.
        idle, ratio = 1 / theta[0], theta[1] / theta[0]
        climb = accumulate(repeat(idle, places), lambda step, idle: idle + step * ratio)
        return float(sum(climb))

    def gradient(theta: Floats) -> Floats:
        # mean = sum over j of (places - j) service^j / arrival^(j + 1): no term cancels another.
        arrival, service = theta
        j = np.arange(places)
        terms = (places - j) * (service / arrival) ** j / arrival
        return np.array([-np.sum((j + 1) * terms) / arrival, np.sum(j * terms) / service])

    return Model(f"M/M/1 overflow {places}", rule, (0,), np.array([1.0, 10.0]), mean, gradient)


def explore(model: Model) -> Arrays:
    """All vertices and edges of a model, breadth first."""
    frontier = np.array([model.start], dtype=np.int64)
    number = {frontier[0].tobytes(): 0}
    states, parts = [frontier], []
    while len(frontier):
        rows, after, base, coefficients = model.rule(frontier)
        source = np.array([number[row.tobytes()] for row in frontier], dtype=np.int64)[rows]
        after = np.ascontiguousarray(after)
        fresh, target = [], np.empty(len(after), dtype=np.int64)
        for k, row in enumerate(after):
            key = row.tobytes()
            if key not in number:
                number[key] = len(number)
                fresh.append(row)
            target[k] = number[key]
        parts.append((source, target, base, coefficients))
        frontier = np.array(fresh, dtype=np.int64).reshape(-1, frontier.shape[1])
        states.append(frontier)
    source, target, base, coefficients = (np.concatenate(part) for part in zip(*parts, strict=True))
    move = source != target  # a self-loop has no effect in continuous time
    return Arrays(
        model.name,
        model.theta,
        np.concatenate(states),
        source[move],
        target[move],
        base[move],
        coefficients[move],
    )


def selection(large: bool) -> list[Model]:
    """The models of the table, small ones first."""
    models = [
        coalescent(67),
        overflow(40),
        islands(2, 30),
        islands(3, 10),
        site_frequency(20),
        tandem(30, 30),
        epidemic(50),
        grid(40),
        islands(4, 12),
        site_frequency(30),
        tandem(100, 100),
        two_locus(30),
        islands(4, 20),
        islands(3, 40),
    ]
    if large:
        models.append(epidemic(300, waning=True))
    return models


def sweep_of_thetas(model: Model, count: int) -> Floats:
    """(count, n_parameters): the model's theta, then random ones within a fifth of it."""
    random = np.random.default_rng(20240607)
    factors = random.uniform(0.8, 1.25, (count, len(model.theta)))
    factors[0] = 1.0
    return model.theta * factors
