"""Models for the tests of `phasic.jax`: continuous and discrete, rewarded and multivariate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from phasic import Graph
from phasic.jax import DensityModel
from rules import coalescent_graph, queue_graph

jax.config.update("jax_enable_x64", True)

Array = np.ndarray


class Example(NamedTuple):
    """A graph, a theta, times and rewards, and what the library says there."""

    graph: Graph
    theta: Array
    times: Array
    rewards: Array | None

    @property
    def model(self) -> DensityModel:
        return self.graph.pmf_from_graph()

    def jax(self, function: str = "pdf") -> Callable[..., Any]:
        """`f(theta, times)` of the model, rewards filled in."""
        model = self.model
        of_name = model if function == "pdf" else getattr(model, function)
        return lambda theta, times: of_name(theta, times, self.rewards)

    def library(self, function: str = "pdf", theta: Array | None = None, **options: Any) -> Any:
        """The same from `Distribution`; with several features one after the other."""
        distribution = self.graph.at(self.theta if theta is None else theta)
        if self.graph.discrete:
            function = function.replace("pdf", "pmf")
        of_name = getattr(distribution, function)
        if self.rewards is None or self.rewards.ndim == 1:
            return of_name(self.times, rewards=self.rewards, **options)
        columns = [
            of_name(self.times[:, k], rewards=self.rewards[:, k], **options)
            for k in range(self.rewards.shape[1])
        ]
        if not isinstance(columns[0], tuple):
            return np.stack(columns, 1)
        return tuple(np.stack(parts, 1) for parts in zip(*columns, strict=True))


def steps(state: Array, length: int = 4) -> Any:
    """A discrete walk ahead with theta[0], back with theta[1]."""
    if state.size == 0:
        return [([1], 1.0, [0.0, 0.0])]
    at = int(state[0])
    if at == length:
        return []
    ahead = [([at + 1], 0.0, [1.0, 0.0])]
    return ahead if at == 1 else [*ahead, ([at - 1], 0.0, [0.0, 1.0])]


def steps_graph() -> Graph:
    return Graph(callback=steps, parameterized=True, discrete=True)


def examples() -> dict[str, Example]:
    coalescent, queue, walk = coalescent_graph(5), queue_graph(4), steps_graph()
    times = np.array([0.3, 0.0, 1.0, 0.3, 2.5])
    one_reward = np.arange(coalescent.n_vertices) % 3 * 0.5
    two = np.stack([np.ones(queue.n_vertices), np.arange(queue.n_vertices) * 0.25], 1)
    both = np.stack([times, times + 0.1], 1)
    whole = (np.arange(walk.n_vertices) % 2).astype(float)
    walked = np.array([3.0, 0.0, 5.0, 2.5, 11.0])
    return {
        "continuous": Example(coalescent, np.array([1.3]), times, None),
        "two parameters": Example(queue, np.array([0.7, 1.9]), times, None),
        "rewarded": Example(coalescent, np.array([1.3]), times, one_reward),
        "multivariate": Example(queue, np.array([0.7, 1.9]), both, two),
        "discrete": Example(walk, np.array([0.5, 0.25]), walked, None),
        "discrete rewarded": Example(walk, np.array([0.5, 0.25]), walked, whole),
    }


EXAMPLES = examples()
FUNCTIONS = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")
