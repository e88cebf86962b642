"""Laplace transforms and generating functions against closed forms, and what is refused."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from engines import Distributions, graph_of
from phasic import Graph, NumericError
from reference.model import Model
from rules import coalescent_graph, queue_graph


def erlang(stages: int, rate: float = 1.0) -> Graph:
    matrix = np.diag([-rate] * stages) + np.diag([rate] * (stages - 1), 1)
    return Graph.from_matrices([1.0] + [0.0] * (stages - 1), matrix)


def geometric(p: float) -> Graph:
    return Graph.from_matrices([1.0], [[1 - p]], discrete=True)


def test_erlang() -> None:
    s = np.array([[0.0, 1e-300, 1e-8], [0.5, 100.0, 1e30]])
    found = erlang(3, 2.0).at().laplace(s)
    assert found.shape == s.shape
    np.testing.assert_allclose(found, (2 / (2 + s)) ** 3, rtol=1e-15)


def test_a_number_gives_a_number() -> None:
    found = erlang(1, 2.0).at().laplace(2.0)
    assert isinstance(found, float)
    assert found == 0.5
    value, slope = erlang(1, 2.0).at().laplace(2.0, gradient=True)
    assert isinstance(value, float)
    assert slope.shape == (0,)


def test_gradient() -> None:
    """Kingman of 3: 3 theta, then theta."""
    at = coalescent_graph(3).at([0.7])
    s = np.array([0.0, 0.25, 40.0])
    values, slope = at.laplace(s, gradient=True)
    exact = 2.1 / (2.1 + s) * 0.7 / (0.7 + s)
    np.testing.assert_allclose(values, exact, rtol=1e-15)
    by_theta = exact * (s / (2.1 + s) + s / (0.7 + s)) / 0.7
    assert slope.shape == (3, 1)
    np.testing.assert_allclose(slope[:, 0], by_theta, rtol=1e-14)


def test_an_infinite_s_is_the_defect() -> None:
    at = queue_graph(5).at([1.0, 1.5])
    n = at.trace.n_vertices
    for rewards in (np.eye(n)[k] for k in range(n)):
        found, slope = at.laplace([np.inf, 0.5, np.inf], rewards, gradient=True)
        assert found[0] == found[2] == at.defect(rewards)
        step = 1e-5
        for p in range(2):
            moved = []
            for sign in (1, -1):
                theta = np.array([1.0, 1.5])
                theta[p] += sign * step
                moved.append(queue_graph(5).at(theta).defect(rewards))
            assert slope[0, p] == pytest.approx((moved[0] - moved[1]) / (2 * step), abs=1e-8)


def test_mass_at_zero() -> None:
    at = Graph.from_matrices([0.25], [[-1.0]]).at()
    np.testing.assert_allclose(at.laplace([0.0, 1.0, np.inf]), [1.0, 0.875, 0.75], rtol=1e-15)


def test_rewards_of_zero_take_no_part() -> None:
    at = erlang(4, 2.0).at()
    assert at.laplace(1.0, [0, 3, 0, 1, 0, 0]) == pytest.approx(2 / 5 * 2 / 3, rel=1e-15)
    assert at.laplace([1.0, np.inf], [5, 0, 0, 0, 0, 7]).tolist() == [1.0, 1.0]


def test_joint() -> None:
    at = erlang(2, 2.0).at()
    rewards = [[0, 1, 0, 0], [0, 1, 3, 0]]
    s = np.array([[1.0, 2.0], [0.0, 0.5], [np.inf, 0.0], [0.0, np.inf], [0.5, 0.0]])
    expected = [2 / 5 * 2 / 8, 2 / 2.5 * 2 / 3.5, 0.0, 0.0, 2 / 2.5]
    np.testing.assert_allclose(at.joint_laplace(s, rewards), expected, rtol=1e-15)
    assert at.joint_laplace(s[0], rewards) == at.joint_laplace(s, rewards)[0]


def test_far_below_what_one_minus_a_probability_can_tell() -> None:
    found = erlang(100).at().laplace(1e3)
    assert found == pytest.approx(1001.0**-100, rel=1e-13)


def test_geometric() -> None:
    z = np.array([0.0, 1e-200, 0.25, 0.5, 1 - 2.0**-40, 1.0])
    p = 0.375
    np.testing.assert_allclose(geometric(p).at().pgf(z), p * z / (1 - (1 - p) * z), rtol=1e-15)
    np.testing.assert_allclose(
        geometric(p).at().pgf(z, [0, 2, 0]), p * z**2 / (1 - (1 - p) * z**2), rtol=1e-15
    )


def test_joint_pgf() -> None:
    """Two geometric phases."""
    at = Graph.from_matrices([1.0, 0.0], [[0.5, 0.5], [0.0, 0.75]], discrete=True).at()
    rewards = [[0, 1, 0, 0], [0, 1, 2, 0]]
    x, y = 0.5, 0.75
    first, second = x * y, y**2
    expected = 0.5 * first / (1 - 0.5 * first) * 0.25 * second / (1 - 0.75 * second)
    assert at.joint_pgf([x, y], rewards) == pytest.approx(expected, rel=1e-15)
    assert at.joint_pgf([0.0, 1.0], rewards) == 0.0
    assert at.joint_pgf([1.0, 1.0], rewards) == pytest.approx(1.0, rel=1e-15)


def test_gradient_of_the_pgf() -> None:
    def model(s: np.ndarray) -> list[object]:
        if s.size == 0:
            return [([1], 1.0, [0.0])]
        return [([0], 0.0, [1.0])] if s[0] else []

    p, z = 0.375, 0.5
    value, slope = Graph(callback=model, discrete=True).at([p]).pgf(z, gradient=True)
    below = 1 - (1 - p) * z
    assert value == pytest.approx(p * z / below, rel=1e-15)
    assert slope == pytest.approx([z * (1 - z) / below**2], rel=1e-14)


def test_below_zero_up_to_the_abscissa() -> None:
    at = erlang(3, 2.0).at()
    s = np.array([-1e-12, -0.5, -1.5, -1.98, 0.5])
    np.testing.assert_allclose(at.laplace(s), (2 / (2 + s)) ** 3, rtol=1e-12)
    for beyond in (-2.0, -2.5, -1e300):
        with pytest.raises(NumericError, match="FATAL: a transform is infinite") as caught:
            at.laplace([0.0, beyond])
        assert caught.value.code == "TRANSFORM_DIVERGES"
    with pytest.raises(NumericError, match="derivatives are asked for at s < 0"):
        at.laplace(-0.5, gradient=True)


def test_pgf_beyond_one() -> None:
    p = 0.375
    z = np.array([1.1, 1.5])  # up to 1.6
    found = geometric(p).at().pgf(z)
    np.testing.assert_allclose(found, p * z / (1 - (1 - p) * z), rtol=1e-13)
    with pytest.raises(NumericError) as caught:
        geometric(p).at().pgf(1.6)
    assert caught.value.code == "TRANSFORM_DIVERGES"


def test_only_absorbed_paths_count() -> None:
    """Half of the paths fall into a trap."""
    edges = [(0, 1, 1.0, ()), (0, 2, 1.0, ()), (2, 3, 1.0, ()), (3, 2, 1.0, ())]
    model = Model(4, [(0, 1.0, ())], edges, improper=True)
    at = Distributions(model).at([])
    assert at.laplace([0.0, 2.0]).tolist() == [0.5, 0.25]


def test_many_points_are_those_one_by_one() -> None:
    at = queue_graph(6).at([1.0, 1.5])
    s = np.concatenate([np.linspace(0, 3, 150), [np.inf], np.linspace(3, 5, 20)])
    together = at.laplace(s)
    assert together.tolist() == [float(at.laplace(x)) for x in s]


def test_points_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    at = queue_graph(6).at([1.0, 1.5])
    s = np.linspace(0, 3, 23).reshape(1, 23)
    values, slope = at.laplace(s, gradient=True)
    monkeypatch.setattr("phasic.transforms._SHIFTS_AT_ONCE", 5 * at.trace.n_vertices)
    again, slope_again = at.laplace(s, gradient=True)
    assert np.array_equal(values, again)
    assert np.array_equal(slope, slope_again)


def test_no_points() -> None:
    values, slope = queue_graph(3).at([1.0, 1.5]).laplace([], gradient=True)
    assert values.shape == (0,)
    assert slope.shape == (0, 2)


def test_of_the_graph_itself() -> None:
    graph = erlang(2, 2.0)
    ones = np.ones((1, 4))
    assert graph.laplace(2.0) == graph.joint_laplace([2.0], ones) == 0.25
    fair = geometric(0.5)
    assert fair.pgf(0.5) == fair.joint_pgf([0.5], np.ones((1, 3))) == pytest.approx(1 / 3)


@pytest.mark.parametrize("s", [np.nan, -np.inf, [0.5, np.nan], 1j, "fast", None, [[1.0], [1, 2]]])
def test_an_s_that_is_none(s: object) -> None:
    with pytest.raises(NumericError, match=r"FATAL: s (is|are no numbers)"):
        erlang(2).at().laplace(s)  # type: ignore[arg-type]


@pytest.mark.parametrize("z", [np.nan, -0.5, np.inf, [0.5, -1e-300]])
def test_a_z_that_is_none(z: object) -> None:
    with pytest.raises(NumericError, match="FATAL: z is"):
        geometric(0.5).at().pgf(z)  # type: ignore[arg-type]


def test_the_other_kind_of_graph() -> None:
    with pytest.raises(NumericError, match=r"(?s)Laplace transform of a discrete.*pgf\(exp"):
        geometric(0.5).at().laplace(0.5)
    with pytest.raises(NumericError, match=r"(?s)generating function of a continuous.*laplace"):
        erlang(2).at().pgf(0.5)
    with pytest.raises(NumericError, match="discrete"):
        geometric(0.5).at().joint_laplace([0.5], np.ones((1, 3)))
    with pytest.raises(NumericError, match="continuous"):
        erlang(1).at().joint_pgf([0.5], np.ones((1, 3)))


def test_rewards_that_do_not_fit() -> None:
    at = erlang(2).at()
    with pytest.raises(NumericError, match=r"the reward of vertex .* is negative or not finite"):
        at.laplace(0.5, [0, 1, -1, 0])
    with pytest.raises(NumericError, match=r"the reward of vertex .* is negative or not finite"):
        at.joint_laplace([0.5], [[0, np.nan, 1, 0]])
    with pytest.raises(NumericError, match="rewards have shape"):
        at.laplace(0.5, [1, 1])
    with pytest.raises(NumericError, match=r"FATAL: s has shape \(3,\) for 2 rewards"):
        at.joint_laplace([0.5, 0.5, 0.5], np.ones((2, 4)))
    with pytest.raises(NumericError, match="rewards have shape"):
        at.joint_laplace([0.5], np.ones(4))


def test_products_beyond_double() -> None:
    at = erlang(2).at()
    with pytest.raises(NumericError, match="s times a reward exceeds"):
        at.laplace(1e200, [0, 1e200, 1, 0])
    assert geometric(0.5).at().pgf(1e-200, [0, 3, 0]) == 0.0


def test_absorption_out_of_reach() -> None:
    edges = [(0, 1, 0.0, (1.0,)), (1, 0, 0.0, (1.0,)), (1, 2, -1.0, (1.0,))]
    graph = graph_of(Model(3, [(0, 1.0, (0.0,))], edges, 1))
    for ask in (lambda at: at.laplace(0.5), lambda at: at.laplace([0.5, np.inf], gradient=True)):
        with pytest.raises(NumericError) as caught:
            ask(graph.at([1.0]))
        assert caught.value.code == "ABSORPTION_UNREACHABLE"


def test_nothing_is_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        erlang(2).at().laplace([0.0, 1e-320, 1e300, math.inf], [0, 1, 0, 0])
        geometric(0.5).at().pgf([0.0, 1e-320, 1.0], [0, 9, 0])
