"""The engines that the tests compare, behind one protocol.

Theta, rewards and vertices are those of `reference.model.Model`: one reward a vertex, the start not
counted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from phasic import Distribution, Graph, PhasicWarning
from phasic.trace_elimination import record_elimination_trace
from reference.engine import ReferenceTrace
from reference.model import Model

Theta = Sequence[float]
Rewards = Sequence[float] | None


class Evaluator(Protocol):
    """A recorded model. Gradients have a parameter axis behind and are None where not asked for."""

    def moments(
        self, theta: Theta, order: int, rewards: Rewards = None, gradient: bool = False
    ) -> tuple[Any, Any]: ...

    def covariances(
        self, theta: Theta, rewards: Sequence[Rewards], gradient: bool = False
    ) -> tuple[Any, Any, Any, Any]: ...

    def sojourn(self, theta: Theta) -> Any: ...

    def absorption(
        self, theta: Theta, vertices: Sequence[int], gradient: bool = False
    ) -> tuple[Any, Any]: ...

    def defect(self, theta: Theta, rewards: Rewards = None) -> float: ...

    def transform(
        self,
        theta: Theta,
        point: Sequence[float],
        rewards: Sequence[Rewards],
        gradient: bool = False,
    ) -> tuple[float, Any]: ...

    def joint_moment(
        self,
        theta: Theta,
        rewards: Sequence[Rewards],
        powers: Sequence[int],
        gradient: bool = False,
    ) -> tuple[float, Any]: ...


def graph_of(model: Model) -> Graph:
    """The model as a graph built by hand: vertex v has the state (v,) and the number v + 1."""
    graph = Graph(
        1, n_parameters=model.n_parameters, discrete=model.discrete, improper=model.improper
    )
    start = graph.starting_vertex()
    vertices = [graph.find_or_create_vertex((v,)) for v in range(model.n_vertices)]
    for v, base, coefficients in model.start:
        start.add_edge_parameterized(vertices[v], base, coefficients)
    for u, v, base, coefficients in model.edges:
        vertices[u].add_edge_parameterized(vertices[v], base, coefficients)
    return graph


def with_start(rewards: Rewards, n_vertices: int) -> np.ndarray:
    """Rewards as the library takes them: the start first."""
    return np.concatenate([[0.0], np.ones(n_vertices) if rewards is None else rewards])


class Distributions:
    """The C engine at one theta, in one lane, as `graph.at(theta)` has it (without the cache)."""

    def __init__(self, model: Model) -> None:
        self.n_vertices = model.n_vertices
        with warnings.catch_warnings():
            # of dropped vertices and of a start that is absorbed: both are asked for here
            warnings.simplefilter("ignore", PhasicWarning)
            self.trace = record_elimination_trace(graph_of(model))

    def at(self, theta: Theta) -> Distribution:
        return Distribution(self.trace, theta)

    def moments(
        self, theta: Theta, order: int, rewards: Rewards = None, gradient: bool = False
    ) -> tuple[Any, Any]:
        row = None if rewards is None else with_start(rewards, self.n_vertices)
        if gradient:
            return self.at(theta).moments(order, row, gradient=True)
        return self.at(theta).moments(order, row), None

    def covariances(
        self, theta: Theta, rewards: Sequence[Rewards], gradient: bool = False
    ) -> tuple[Any, Any, Any, Any]:
        rows = [with_start(row, self.n_vertices) for row in rewards]
        at = self.at(theta)
        if not gradient:
            return at.mean_vector(rows), at.covariance_matrix(rows), None, None
        means, mean_slopes = at.mean_vector(rows, gradient=True)
        matrix, slopes = at.covariance_matrix(rows, gradient=True)
        if len(rows) == 1:
            variance, slope = at.variance(rows[0], gradient=True)
            assert variance == matrix[0, 0]
            assert np.array_equal(slope, slopes[0, 0])
        return means, matrix, mean_slopes, slopes

    def sojourn(self, theta: Theta) -> Any:
        return self.at(theta).expected_sojourn_time()[1:]

    def absorption(
        self, theta: Theta, vertices: Sequence[int], gradient: bool = False
    ) -> tuple[Any, Any]:
        numbers = [v + 1 for v in vertices]
        at = self.at(theta)
        if not gradient:
            return at.absorption_probabilities(numbers), None
        return at.absorption_probabilities(numbers, gradient=True)

    def defect(self, theta: Theta, rewards: Rewards = None) -> float:
        row = None if rewards is None else with_start(rewards, self.n_vertices)
        return self.at(theta).defect(row)

    def transform(
        self,
        theta: Theta,
        point: Sequence[float],
        rewards: Sequence[Rewards],
        gradient: bool = False,
    ) -> tuple[float, Any]:
        """By itself and, of one reward, as a joint one: the same."""
        at = self.at(theta)
        rows = [with_start(row, self.n_vertices) for row in rewards]
        joint = at.joint_pgf if at.discrete else at.joint_laplace
        value, slope = joint(point, rows, gradient=True) if gradient else (joint(point, rows), None)
        if len(rows) == 1:
            one = at.pgf if at.discrete else at.laplace
            assert one(point[0], rows[0]) == value
        return float(value), slope

    def joint_moment(
        self,
        theta: Theta,
        rewards: Sequence[Rewards],
        powers: Sequence[int],
        gradient: bool = False,
    ) -> tuple[float, Any]:
        rows = [with_start(row, self.n_vertices) for row in rewards]
        if gradient:
            return self.at(theta).joint_moment(rows, powers, gradient=True)
        return self.at(theta).joint_moment(rows, powers), None


class Lanes(Distributions):
    """The C engine by `trace.moments`: many thetas at once, of which each must give the same."""

    COUNT = 11  # no multiple of a lane width

    def _thetas(self, theta: Theta) -> np.ndarray:
        return np.tile(np.asarray(theta, np.float64), (self.COUNT, 1))

    @staticmethod
    def _one(values: np.ndarray) -> np.ndarray:
        assert all(np.array_equal(values[0], row) for row in values)
        return values[0]

    def moments(
        self, theta: Theta, order: int, rewards: Rewards = None, gradient: bool = False
    ) -> tuple[Any, Any]:
        row = None if rewards is None else with_start(rewards, self.n_vertices)
        if not gradient:
            return self._one(self.trace.moments(self._thetas(theta), order, row)), None
        values, slopes = self.trace.moments(self._thetas(theta), order, row, gradient=True)
        return self._one(values), self._one(slopes)

    def covariances(
        self, theta: Theta, rewards: Sequence[Rewards], gradient: bool = False
    ) -> tuple[Any, Any, Any, Any]:
        rows = [with_start(row, self.n_vertices) for row in rewards]
        found = self.trace.covariances(self._thetas(theta), rows, gradient=gradient)
        parts = [self._one(values) for values in found]
        return (*parts, None, None)[:4]

    def transform(
        self,
        theta: Theta,
        point: Sequence[float],
        rewards: Sequence[Rewards],
        gradient: bool = False,
    ) -> tuple[float, Any]:
        at = self.at(theta)
        rows = [with_start(row, self.n_vertices) for row in rewards]
        points = np.tile(np.asarray(point, np.float64), (self.COUNT, 1))
        joint = at.joint_pgf if at.discrete else at.joint_laplace
        if not gradient:
            return float(self._one(joint(points, rows))), None
        values, slopes = joint(points, rows, gradient=True)
        return float(self._one(values)), self._one(slopes)


ENGINES: dict[str, Callable[[Model], Evaluator]] = {
    "c": Distributions,
    "c-lanes": Lanes,
    "python": ReferenceTrace,
}
