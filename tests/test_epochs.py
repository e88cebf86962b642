"""Piecewise-constant theta against closed forms, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from phasic import Graph
from phasic.errors import NumericError


def switching(discrete: bool = False) -> Graph:
    """One exponential stay of rate theta."""
    graph = Graph(state_length=1, discrete=discrete)
    working, failed = (graph.find_or_create_vertex([k]) for k in (1, 0))
    graph.starting_vertex().add_edge(working, 1.0)
    working.add_edge(failed, [1.0])
    return graph


@pytest.mark.parametrize("a", [0.3, 40.0, 3e4])
@pytest.mark.parametrize("t", [0.0, 1e-3, 0.7, 2.0])
def test_one_change_of_rate(a: float, t: float) -> None:
    b = 0.05
    p = math.exp(-a * t)
    first = -math.expm1(-a * t) / a + p / b
    second = 2 * (-math.expm1(-a * t) - a * t * p) / a**2 + 2 * p * (t / b + 1 / b**2)
    distribution = switching().at([a], epochs=[(t, [b])])
    np.testing.assert_allclose(distribution.moments(2), [first, second], rtol=1e-11)
    assert distribution.variance() == pytest.approx(second - first**2, rel=1e-9)


def coalescent() -> Graph:
    graph = Graph(state_length=1)
    vertices = {k: graph.find_or_create_vertex([k]) for k in range(6, 0, -1)}
    graph.starting_vertex().add_edge(vertices[6], 3.0)
    for k in range(6, 1, -1):
        vertices[k].add_edge(vertices[k - 1], [k * (k - 1) / 2])
    return graph


def test_no_change_is_the_ordinary_distribution() -> None:
    graph = coalescent()
    plain = graph.at([0.8])
    rewards = np.vstack([graph.states()[:, 0], graph.states()[:, 0] == 3]).astype(float)
    for epochs in ([], [(0.0, [0.8])], [(0.5, [0.8]), (0.5, [0.8]), (3.0, [0.8])]):
        changing = graph.at([0.8], epochs=epochs)
        np.testing.assert_allclose(changing.moments(5), plain.moments(5), rtol=1e-13)
        np.testing.assert_allclose(
            changing.covariance_matrix(rewards), plain.covariance_matrix(rewards), rtol=1e-9
        )
        np.testing.assert_allclose(
            changing.mean_vector(rewards), plain.mean_vector(rewards), rtol=1e-13
        )
        assert changing.covariance(*rewards) == pytest.approx(plain.covariance(*rewards))


@pytest.mark.parametrize(
    ("epochs", "code"),
    [
        ([(1.0, [1.0]), (0.5, [1.0])], "EPOCHS"),
        ([(-1.0, [1.0])], "EPOCHS"),
        ([(math.nan, [1.0])], "EPOCHS"),
        ([(math.inf, [1.0])], "EPOCHS"),
        ([(1.0, [1.0, 2.0])], "THETA_LENGTH"),
        ([(1e12, [1.0])], "TOO_MUCH_WORK"),
    ],
)
def test_bad_epochs_are_refused(epochs: list[tuple[float, list[float]]], code: str) -> None:
    with pytest.raises(NumericError) as caught:
        switching().at([1.0], epochs=epochs).moments(1)
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("epochs", [[1.0], [(1.0,)], "text", [("a", [1.0])], {1.0: [1.0]}, 3])
def test_epochs_that_are_no_pairs_are_refused(epochs: object) -> None:
    with pytest.raises(NumericError, match="pairs") as caught:
        switching().at([1.0], epochs=epochs)  # type: ignore[call-overload]
    assert caught.value.code == "EPOCHS"


@pytest.mark.parametrize("order", [0, -1, 1.5, "2", None, True])
def test_an_order_that_is_none_is_refused(order: object) -> None:
    with pytest.raises(NumericError, match="order"):
        switching().at([1.0], epochs=[(1.0, [1.0])]).moments(order)  # type: ignore[arg-type]


def triangle() -> Graph:
    """From 0 to 1 at theta[0], from 1 to the end at theta[1], from 0 to the end at theta[2]."""
    graph = Graph(state_length=1)
    first, second, end = (graph.find_or_create_vertex([k]) for k in range(3))
    graph.starting_vertex().add_edge(first, 1.0)
    first.add_edge(second, [1.0, 0.0, 0.0])
    second.add_edge(end, [0.0, 1.0, 0.0])
    first.add_edge(end, [0.0, 0.0, 1.0])
    return graph


def test_an_epoch_without_absorption_passes() -> None:
    np.testing.assert_allclose(
        switching().at([0.0], epochs=[(2.0, [1.0])]).moments(2), [3.0, 4 + 2 * 2 + 2], rtol=1e-14
    )
    # Isolation: the second stay ends only once the last epoch has begun.
    isolated = triangle().at([1.0, 0.0, 0.0], epochs=[(2.0, [1.0, 1.0, 0.0])])
    first_stay = math.exp(-2.0)
    assert isolated.mean() == pytest.approx(2.0 + first_stay * 2.0 + (1 - first_stay), rel=1e-13)


def test_time_passes_in_a_vertex_that_an_epoch_cuts_off() -> None:
    epochs = [(1.0, [0.0, 0.0, 1.0]), (11.0, [1.0, 1.0, 1.0])]
    in_first, in_second = math.exp(-2.0), math.exp(-1.0) - math.exp(-2.0)  # at time 1
    mean = 1 - math.exp(-1.0)
    mean += 10 * in_second + in_first * (1 - math.exp(-10.0))
    mean += in_second * 1.0 + in_first * math.exp(-10.0) * 1.0
    distribution = triangle().at([1.0, 1.0, 1.0], epochs=epochs)
    assert distribution.mean() == pytest.approx(mean, rel=1e-13)


def test_a_last_epoch_that_cuts_off_an_occupied_vertex_is_refused() -> None:
    distribution = triangle().at([1.0, 1.0, 1.0], epochs=[(1.0, [0.0, 0.0, 1.0])])
    with pytest.raises(NumericError, match=r"vertex \(1,\) cannot reach absorption") as caught:
        distribution.mean()
    assert caught.value.code == "ABSORPTION_UNREACHABLE"
    never_there = triangle().at([0.0, 1.0, 1.0], epochs=[(1.0, [0.0, 0.0, 1.0])])
    assert never_there.mean() == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("rate", [1e-20, 1e-160, 1e-300, 5e-324])
def test_an_epoch_in_which_next_to_nothing_happens(rate: float) -> None:
    # Deterministically 1, then an exponential stay of mean 1/2.
    moments = switching().at([rate], epochs=[(1.0, [2.0])]).moments(3)
    np.testing.assert_allclose(moments, [1.5, 2.5, 1 + 3 / 2 + 3 / 2 + 3 / 4], rtol=1e-14)


def test_a_discrete_graph_has_no_epochs() -> None:
    with pytest.raises(NumericError) as caught:
        switching(discrete=True).at([0.5], epochs=[(1.0, [0.25])])
    assert caught.value.code == "EPOCHS"


def test_a_reward_of_another_scale_keeps_its_covariance() -> None:
    graph = coalescent()
    distribution = graph.at([0.8], epochs=[(0.4, [2.0])])
    ones = np.ones(len(graph.states()))
    covariance = distribution.covariance(ones, 1e-9 * ones)
    assert covariance == pytest.approx(1e-9 * distribution.variance(), rel=1e-12)


def test_a_rare_way_through_a_long_row_is_walked() -> None:
    size, h = 70, 1e-3
    graph = Graph(state_length=1)
    row = [graph.find_or_create_vertex([k]) for k in range(size + 2)]
    graph.starting_vertex().add_edge(row[0], 1.0)
    for k in range(size + 1):
        row[k].add_edge(row[k + 1], [1.0, 0.0])
    rewards = np.zeros(size + 3)
    rewards[size + 1] = 1.0
    for k in range(size):
        row[k].add_edge(row[size + 1], [0.0, 1.0])
    later = graph.at([1.0, 0.0], epochs=[(h, [1.0, 1e15])]).mean(rewards)
    # In the last epoch nothing new arrives: E = P(at the end of the row at h) plus what was spent.
    poisson = [math.exp(n * math.log(h) - h - math.lgamma(n + 1)) for n in range(size, size + 4)]
    spent = sum(poisson[1:])
    assert later == pytest.approx(poisson[0] + spent, rel=1e-5)
