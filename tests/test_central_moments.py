"""Central and joint moments, skewness, kurtosis and correlations against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from phasic import Graph, NumericError
from rules import coalescent_graph, queue_graph


def erlang(stages: int, rate: float = 1.0) -> Graph:
    matrix = np.diag([-rate] * stages) + np.diag([rate] * (stages - 1), 1)
    return Graph.from_matrices([1.0] + [0.0] * (stages - 1), matrix)


def steps(stages: int, p: float) -> Graph:
    """A sum of geometric numbers of steps."""
    matrix = np.diag([1 - p] * stages) + np.diag([p] * (stages - 1), 1)
    return Graph.from_matrices([1.0] + [0.0] * (stages - 1), matrix, discrete=True)


@pytest.mark.parametrize("rate", [1e-150, 3.0, 1e150])
@pytest.mark.parametrize("stages", [1, 7, 400])
def test_erlang(stages: int, rate: float) -> None:
    at = erlang(stages, rate).at()
    assert at.skewness() == pytest.approx(2 / math.sqrt(stages), rel=1e-12)
    assert at.kurtosis() == pytest.approx(6 / stages, rel=1e-9)


def test_erlang_by_order() -> None:
    found = erlang(50, 2.0).at().central_moments(5)
    k2, k3, k4, k5 = (math.factorial(k - 1) * 50 / 2.0**k for k in (2, 3, 4, 5))
    expected = [0.0, k2, k3, k4 + 3 * k2**2, k5 + 10 * k2 * k3]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert erlang(3).at().central_moments(1).tolist() == [0.0]


def test_a_thousand_steps_that_hardly_vary() -> None:
    """The mean is 3e4 deviations: E[T^4] has 18 digits more than the fourth central moment."""
    q = 2.0**-20
    at = steps(300, 1 - q).at()
    variance = 300 * q / (1 - q) ** 2
    assert at.variance() == pytest.approx(variance, rel=1e-12)
    assert at.skewness() == pytest.approx((1 + q) / math.sqrt(300 * q), rel=1e-12)
    excess = 6 / 300 + (1 - q) ** 2 / (300 * q)
    assert at.kurtosis() == pytest.approx(excess, rel=1e-12)


def test_a_negative_skewness() -> None:
    """Nine of ten paths are long, of 200 stages; the others end at once."""
    n = 200
    matrix = np.diag([-1.0] * n) + np.diag([1.0] * (n - 1), 1)
    at = Graph.from_matrices([0.9] + [0.0] * (n - 1), matrix).at()
    p, mean = 0.9, 0.9 * n
    raw = [p * math.prod(range(n, n + k)) for k in range(1, 4)]
    variance = raw[1] - mean**2
    third = raw[2] - 3 * mean * raw[1] + 2 * mean**3
    assert third < 0
    assert at.skewness() == pytest.approx(third / variance**1.5, rel=1e-12)


def test_scipy_has_the_same_notions() -> None:
    stats = pytest.importorskip("scipy.stats")
    mean, variance, skewness, excess = stats.gamma.stats(12, scale=0.25, moments="mvsk")
    at = erlang(12, 4.0).at()
    found = [at.mean(), at.variance(), at.skewness(), at.kurtosis()]
    np.testing.assert_allclose(found, [mean, variance, skewness, excess], rtol=1e-13)


def test_what_does_not_vary() -> None:
    certain = steps(5, 1.0).at()
    assert certain.central_moments(4).tolist() == [0.0, 0.0, 0.0, 0.0]
    unpaid = erlang(2).at()
    assert unpaid.central_moments(3, np.zeros(4)).tolist() == [0.0, 0.0, 0.0]
    for ask in (certain.skewness, certain.kurtosis, lambda: unpaid.skewness(np.zeros(4))):
        with pytest.raises(NumericError, match="FATAL: the variable does not vary"):
            ask()


def test_no_digit_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    at = queue_graph(5).at([1.0, 1.5])
    found = at._evaluator.central_moments

    def with_wide_bounds(*args: object) -> tuple[np.ndarray, np.ndarray, None]:
        values, bounds, _ = found(*args)  # type: ignore[arg-type]
        bounds[0, 2] = 0.2 * abs(values[0, 2])
        return values, bounds, None

    assert at.central_moments(3)[2] > 0
    monkeypatch.setattr(at._evaluator, "central_moments", with_wide_bounds)
    with pytest.raises(NumericError, match="no digit of the central moment of order 3") as caught:
        at.central_moments(3)
    assert caught.value.code == "NO_DIGITS"


@pytest.mark.parametrize("order", [0, -1, 1.5, True, 33])
def test_an_order_that_is_none(order: object) -> None:
    with pytest.raises(NumericError, match="FATAL: "):
        erlang(2).at().central_moments(order)  # type: ignore[arg-type]


def test_joint_moments_of_independent_phases() -> None:
    at = erlang(3, 2.0).at()
    rewards = [[0, 1, 0, 0, 0], [0, 0, 3, 0, 0], [0, 0, 0, 1, 0]]
    for powers in ([0, 0, 0], [1, 0, 0], [2, 1, 3], [0, 4, 0]):
        exact = math.prod(
            math.factorial(k) * (scale / 2) ** k for k, scale in zip(powers, (1, 3, 1), strict=True)
        )
        assert at.joint_moment(rewards, powers) == pytest.approx(exact, rel=1e-14)


def test_joint_moments_of_one_reward_twice() -> None:
    at = queue_graph(5).at([1.0, 1.5])
    ones = np.ones((2, at.trace.n_vertices))
    value, slope = at.joint_moment(ones, [2, 1], gradient=True)
    moments, slopes = at.moments(3, gradient=True)
    assert value == pytest.approx(moments[2], rel=1e-14)
    assert slope == pytest.approx(slopes[2], rel=1e-13)


@pytest.mark.parametrize(
    "powers", [[1], [1, 2, 3], [1, -1], [1.0, 2.0], 2, "11", [[1, 1]], [True, True]]
)
def test_powers_that_do_not_fit(powers: object) -> None:
    with pytest.raises(NumericError, match="FATAL: powers are") as caught:
        erlang(2).at().joint_moment(np.ones((2, 4)), powers)  # type: ignore[arg-type]
    assert caught.value.code == "POWERS"


def test_powers_beyond_reason() -> None:
    with pytest.raises(NumericError, match="solutions of 4 vertices") as caught:
        erlang(2).at().joint_moment(np.ones((3, 4)), [1000, 1000, 1000])
    assert caught.value.code == "TOO_MUCH_WORK"
    with pytest.raises(NumericError, match="exceeds the range of double"):
        erlang(2, 1e-200).at().joint_moment(np.ones((2, 4)), [1, 1])


def test_correlations() -> None:
    """Of time and tree length of Kingman's coalescent of 3, and of each with itself."""
    at = coalescent_graph(3).at([0.7])
    states = at._evaluator.states
    lineages = states @ np.arange(1, states.shape[1] + 1) if states.shape[1] > 1 else states[:, 0]
    rewards = np.array([np.ones(len(states)), lineages], float)
    rewards = np.concatenate([rewards, 5 * rewards[:1]])
    found, slope = at.correlation_matrix(rewards, gradient=True)
    covariances, slopes = at.covariance_matrix(rewards, gradient=True)
    deviations = np.sqrt(np.diag(covariances))
    np.testing.assert_allclose(found, covariances / np.outer(deviations, deviations), rtol=1e-14)
    assert found[0, 2] == found[2, 0] == pytest.approx(1.0, abs=1e-15)
    assert np.array_equal(np.diag(found), np.ones(3))
    # theta is a unit of time
    np.testing.assert_allclose(slope, np.zeros((3, 3, 1)), atol=1e-13)
    assert slopes.shape == slope.shape


def test_gradient_of_correlations() -> None:
    theta, step = np.array([1.0, 1.5]), 1e-5
    graph = queue_graph(5)
    rewards = np.array([np.ones(graph.n_vertices), np.arange(graph.n_vertices) % 3.0])
    _, slope = graph.at(theta).correlation_matrix(rewards, gradient=True)
    for p in range(2):
        up, down = theta.copy(), theta.copy()
        up[p] += step
        down[p] -= step
        difference = graph.at(up).correlation_matrix(rewards) - graph.at(down).correlation_matrix(
            rewards
        )
        np.testing.assert_allclose(slope[..., p], difference / (2 * step), atol=1e-8)


def test_no_correlation_without_variance() -> None:
    with pytest.raises(NumericError, match="reward 1 does not vary") as caught:
        erlang(2).at().correlation_matrix([np.ones(4), np.zeros(4)])
    assert caught.value.code == "NO_VARIANCE"


def test_hessian_of_moments() -> None:
    theta = 0.7
    values, slopes, hessians = coalescent_graph(4).at([theta]).moments(3, hessian=True)
    assert hessians.shape == (3, 1, 1)
    for k in range(3):
        assert slopes[k, 0] == pytest.approx(-(k + 1) * values[k] / theta, rel=1e-14)
        assert hessians[k, 0, 0] == pytest.approx(
            (k + 1) * (k + 2) * values[k] / theta**2, rel=1e-13
        )


def test_hessian_without_parameters() -> None:
    values, slopes, hessians = erlang(2).at().moments(2, hessian=True)
    assert values.tolist() == [2.0, 6.0]
    assert slopes.shape == (2, 0)
    assert hessians.shape == (2, 0, 0)


def test_of_the_graph_itself() -> None:
    graph = erlang(4)
    rows = np.array([[0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0.0]])
    assert graph.central_moments(2)[1] == pytest.approx(4.0)
    assert graph.skewness() == pytest.approx(1.0)
    assert graph.kurtosis() == pytest.approx(1.5)
    assert graph.joint_moment(rows, [1, 1]) == pytest.approx(1.0)
    assert graph.correlation_matrix(rows) == pytest.approx(np.eye(2), abs=1e-15)
    assert len(graph.moments(1, hessian=True)) == 3
