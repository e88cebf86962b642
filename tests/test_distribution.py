"""A graph at one theta, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from phasic import Graph, NumericError
from rules import coalescent_graph, queue_graph


def erlang(stages: int = 3) -> Graph:
    """Rate theta through every stage: moments (n)(n+1)..(n+k-1) / theta^k."""

    def model(s):
        if s.size == 0:
            return [([stages], 1.0)]
        return [([s[0] - 1], 0.0, [1.0])] if s[0] else []

    return Graph(callback=model)


def two_ends() -> Graph:
    """From 1 to 2 at theta0, to 3 at theta1, both absorbing."""

    def model(s):
        if s.size == 0:
            return [([1], 1.0)]
        return [([2], 0.0, [1.0, 0.0]), ([3], 0.0, [0.0, 1.0])] if s[0] == 1 else []

    return Graph(callback=model)


def test_erlang_moments_and_their_gradients() -> None:
    theta = 2.5
    moments, gradient = erlang().at([theta]).moments(4, gradient=True)
    for k in range(1, 5):
        exact = math.prod(range(3, 3 + k)) / theta**k
        assert moments[k - 1] == pytest.approx(exact, rel=1e-14)
        assert gradient[k - 1, 0] == pytest.approx(-k * exact / theta, rel=1e-14)


def test_erlang_mean_variance_and_deviation() -> None:
    distribution = erlang(9).at([2.0])
    assert distribution.mean() == distribution.expectation() == pytest.approx(4.5, rel=1e-14)
    value, slope = distribution.variance(gradient=True)
    assert value == distribution.variance() == pytest.approx(9 / 4, rel=1e-14)
    assert slope == pytest.approx([-2 * 9 / 8], rel=1e-13)
    assert distribution.std() == pytest.approx(1.5, rel=1e-14)


def test_a_geometric_time() -> None:
    def model(s):
        if s.size == 0:
            return [([1], 1.0)]
        return [([0], 0.0, [1.0])] if s[0] else []

    p = 0.3
    distribution = Graph(callback=model, discrete=True).at([p])
    assert distribution.discrete
    factorial = [math.factorial(k) * (1 - p) ** (k - 1) / p**k for k in range(1, 5)]
    assert distribution.factorial_moments(4) == pytest.approx(factorial, rel=1e-13)
    mean, second = 1 / p, (2 - p) / p**2
    assert distribution.moments(2) == pytest.approx([mean, second], rel=1e-13)
    assert distribution.variance() == pytest.approx((1 - p) / p**2, rel=1e-13)


def test_factorial_moments_are_of_steps() -> None:
    with pytest.raises(NumericError, match=r"FATAL: .*continuous"):
        erlang().at([1.0]).factorial_moments(2)


def test_absorption_probabilities_and_their_gradients() -> None:
    distribution = two_ends().at([1.0, 3.0])
    values, slope = distribution.absorption_probabilities(gradient=True)
    # start, 1, 2, 3
    assert values.tolist() == [0, 0, 0.25, 0.75]
    assert slope[2] == pytest.approx([3 / 16, -1 / 16], rel=1e-14)
    assert slope[3] == pytest.approx([-3 / 16, 1 / 16], rel=1e-14)
    assert distribution.absorption_probabilities([3]).tolist() == [0.75]
    assert distribution.absorption_probabilities(2).tolist() == [0.25]
    for wrong in ([1], [0], [9], [-1], [1.5], [[2]]):
        with pytest.raises(NumericError, match="FATAL: "):
            distribution.absorption_probabilities(wrong)


def test_rewards_change_the_variable() -> None:
    distribution = erlang(2).at([2.0])
    rewards = np.array([9.0, 9.0, 0.0, 3.0])  # start, 0, 1, 2
    assert distribution.moments(2, rewards) == pytest.approx([1.5, 4.5], rel=1e-14)
    assert distribution.mean(rewards) == pytest.approx(1.5, rel=1e-14)
    assert distribution.variance(rewards) == pytest.approx(2.25, rel=1e-14)
    assert distribution.moments(1, []) == distribution.moments(1)
    assert distribution.defect(np.zeros(4)) == 1.0
    assert distribution.defect(rewards) == 0.0


def test_covariances_of_independent_stages() -> None:
    distribution = erlang(2).at([2.0])
    stages = np.eye(4)[2:]  # the times in states 1 and 2
    values, slope = distribution.covariance_matrix(stages, gradient=True)
    assert values == pytest.approx(np.diag([0.25, 0.25]), abs=1e-16)
    assert slope[:, :, 0] == pytest.approx(np.diag([-0.25, -0.25]), abs=1e-15)
    both = np.array([0, 0, 1.0, 1.0])
    value, gradient = distribution.covariance(stages[0], both, gradient=True)
    assert value == distribution.covariance(both, stages[0]) == pytest.approx(0.25, rel=1e-14)
    assert gradient == pytest.approx([-0.25], rel=1e-13)
    means, mean_slope = distribution.mean_vector([*stages, both], gradient=True)
    assert means == pytest.approx([0.5, 0.5, 1.0], rel=1e-14)
    assert mean_slope[:, 0] == pytest.approx([-0.25, -0.25, -0.5], rel=1e-14)


def test_by_vertex() -> None:
    distribution = coalescent_graph(4).at([2.0])
    # start, 1, 2, 3, 4: rates 2, 6, 12
    assert distribution.expected_sojourn_time() == pytest.approx(
        [0, 0, 1 / 2, 1 / 6, 1 / 12], rel=1e-14
    )
    assert distribution.expected_waiting_time() == pytest.approx(
        [3 / 4, 0, 1 / 2, 2 / 3, 3 / 4], rel=1e-14
    )
    lineages = [0, 1, 2, 3, 4]
    assert distribution.expected_waiting_time(lineages)[3] == pytest.approx(1.5, rel=1e-14)


def test_a_distribution_does_not_change() -> None:
    graph = queue_graph()
    distribution = graph.at([1.0, 2.0])
    before = distribution.mean()
    graph.update_parameterized_weights([5.0, 6.0])
    assert distribution.mean() == before
    with pytest.raises(ValueError, match="read-only"):
        distribution.theta[0] = 3.0


def test_the_graph_delegates_to_its_own_theta() -> None:
    graph = queue_graph()
    graph.update_parameterized_weights([1.0, 2.0])
    distribution = graph.at([1.0, 2.0])
    rewards = np.arange(6.0)
    rows = np.stack([rewards, np.ones(6)])
    calls = {
        "moments": (3, rewards),
        "mean": (rewards,),
        "expectation": (),
        "variance": (rewards,),
        "std": (),
        "covariance": (rewards, np.ones(6)),
        "covariance_matrix": (rows,),
        "mean_vector": (rows,),
        "expected_sojourn_time": (),
        "expected_waiting_time": (rewards,),
        "absorption_probabilities": (),
        "defect": (rewards,),
    }
    for name, arguments in calls.items():
        own = getattr(graph, name)(*arguments)
        assert np.array_equal(own, getattr(distribution, name)(*arguments)), name
    values, slope = graph.moments(2, gradient=True)
    assert np.array_equal(slope, distribution.moments(2, gradient=True)[1])
    assert np.array_equal(values, graph.moments(2))


def test_start_weights_are_relative() -> None:
    def model(s, scale):
        if s.size == 0:
            return [([2], 0.0, [scale]), ([1], 0.0, [3 * scale])]
        return [([s[0] - 1], 0.0, [1.0])] if s[0] else []

    for scale in (1.0, 1e-9, 7.0):
        distribution = Graph(callback=model, scale=scale).at([2.0])
        assert distribution.mean() == pytest.approx((2 + 3) / 4 / 2, rel=1e-14)
        # The normalised start does not depend on theta.
        assert distribution.moments(1, gradient=True)[1][0] == pytest.approx([-5 / 16], rel=1e-13)


def test_a_weight_of_zero_everywhere_at_the_start() -> None:
    def model(s):
        return [([1], 0.0, [1.0])] if s.size == 0 else [([0], 1.0)] if s[0] else []

    with pytest.raises(NumericError, match=r"FATAL: all start weights are zero"):
        Graph(callback=model).at([0.0]).mean()
