"""Density functions: what they say at the edges, and how they relate to each other."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from phasic import Graph, NumericError, PhasicWarning
from rules import coalescent_graph as kingman

TIMES = np.array([0.01, 0.3, 1.0, 2.5, 9.0])


def exponential(rate: float = 2.0) -> Any:
    return Graph.from_matrices([1.0], [[-rate]]).at()


def with_atom() -> Any:
    return Graph.from_matrices([0.5, 0.25], [[-3.0, 1.0], [2.0, -4.0]]).at()


def geometric(p: float = 0.3) -> Any:
    return Graph.from_matrices([1.0], [[1 - p]], discrete=True).at()


# ---- closed forms


def test_functions_of_an_exponential_time() -> None:
    x = exponential()
    np.testing.assert_allclose(x.pdf(TIMES), 2 * np.exp(-2 * TIMES), rtol=1e-13)
    np.testing.assert_allclose(x.cdf(TIMES), -np.expm1(-2 * TIMES), rtol=1e-13)
    np.testing.assert_allclose(x.sf(TIMES), np.exp(-2 * TIMES), rtol=1e-13)
    np.testing.assert_allclose(x.hazard(TIMES), 2.0, rtol=1e-13)
    np.testing.assert_allclose(x.logsf(300.0), -600.0, rtol=1e-13)
    p = np.array([1e-9, 0.1, 0.5, 0.9, 1 - 1e-9])
    np.testing.assert_allclose(x.quantile(p), -np.log1p(-p) / 2, rtol=1e-12)
    assert x.median() == pytest.approx(math.log(2) / 2, rel=1e-13)


def test_functions_of_a_geometric_number() -> None:
    x = geometric()
    k = np.arange(8)
    np.testing.assert_allclose(x.pmf(k[1:]), 0.3 * 0.7 ** (k[1:] - 1.0), rtol=1e-13)
    np.testing.assert_allclose(x.sf(k), 0.7**k, rtol=1e-13)
    np.testing.assert_allclose(x.hazard(k[1:]), 0.3, rtol=1e-13)
    assert x.pmf(0) == 0
    assert x.pmf(1.5) == 0
    assert x.cdf(2.9) == x.cdf(2)
    assert x.quantile([0.3, 0.31, 0.51, 0.9, 1.0]).tolist() == [1, 2, 2, 7, math.inf]


def test_a_fixed_number_of_steps_ends_surely() -> None:
    walk = Graph.from_matrices([1, 0, 0], [[0, 1, 0], [0, 0, 1], [0, 0, 0]], discrete=True).at()
    assert walk.pmf([1, 2, 3, 4]).tolist() == [0, 0, 1, 0]
    assert walk.quantile([0.0, 0.5, 1.0]).tolist() == [0, 3, 3]


@pytest.mark.parametrize("function", ["pdf", "cdf", "sf", "hazard", "logpdf", "logcdf", "logsf"])
def test_derivatives_are_those_of_the_scale(function: str) -> None:
    # theta scales time: f(t; theta) = theta f(theta t; 1) and so on.
    graph = kingman(6)
    at = graph.at([1.5])
    value, slope = getattr(at, function)(TIMES, gradient=True)
    step = 1e-6
    more, less = (getattr(graph.at([1.5 + d]), function)(TIMES) for d in (step, -step))
    np.testing.assert_allclose(slope[:, 0], (more - less) / (2 * step), rtol=2e-6, atol=1e-7)
    np.testing.assert_array_equal(value, getattr(at, function)(TIMES))


def test_the_hessian_of_a_log_density_is_that_of_its_closed_form() -> None:
    # log f of Erlang(2, theta) = 2 log theta + log t - theta t
    graph = Graph(state_length=1)
    first, second, end = (graph.find_or_create_vertex([k]) for k in (2, 1, 0))
    graph.starting_vertex().add_edge(first, 1.0)
    first.add_edge(second, [1.0])
    second.add_edge(end, [1.0])
    value, slope, curvature = graph.at([3.0]).logpdf(TIMES, hessian=True)
    np.testing.assert_allclose(value, 2 * np.log(3) + np.log(TIMES) - 3 * TIMES, rtol=1e-12)
    np.testing.assert_allclose(slope[:, 0], 2 / 3 - TIMES, rtol=1e-11)
    np.testing.assert_allclose(curvature[:, 0, 0], -2 / 9, rtol=1e-9)


def test_the_gradient_of_a_quantile_follows_the_scale() -> None:
    graph = kingman(5)
    value, slope = graph.at([2.0]).quantile([0.2, 0.9], gradient=True)
    np.testing.assert_allclose(slope[:, 0], -value / 2.0, rtol=1e-11)


# ---- edges


def test_limits_of_time() -> None:
    x = with_atom()
    assert x.cdf([-1.0, 0.0, math.inf]).tolist() == [0.0, 0.25, 1.0]
    assert x.sf([-1.0, 0.0, math.inf]).tolist() == [1.0, 0.75, 0.0]
    assert x.pdf([-1.0, 0.0, math.inf]).tolist() == [0.0, 0.5 * 2 + 0.25 * 2, 0.0]
    assert x.logpdf(-1.0) == -math.inf
    assert x.quantile([0.0, 0.25, 1.0]).tolist() == [0.0, 0.0, math.inf]
    assert x.quantile(0.25 + 1e-12) > 0


def test_times_beyond_the_range_of_double() -> None:
    x = with_atom()
    assert x.pdf([1e290, 1e308]).tolist() == [0.0, 0.0]
    assert x.cdf([1e290, 1e308]).tolist() == [1.0, 1.0]
    assert x.pdf(1e-300) == pytest.approx(x.pdf(0.0), rel=1e-12)


def test_shapes_follow_the_times() -> None:
    x = exponential()
    assert isinstance(x.pdf(1.0), float)
    assert x.pdf([]).shape == (0,)
    assert x.pdf(np.ones((2, 3))).shape == (2, 3)
    times = np.array([2.0, 0.5, 2.0, 0.1])
    np.testing.assert_array_equal(x.pdf(times), [float(x.pdf(t)) for t in times])
    value, slope = kingman(4).at([1.0]).pdf(np.ones((2, 3)), gradient=True)
    assert (value.shape, slope.shape) == ((2, 3), (2, 3, 1))


def test_an_answer_says_how_it_was_made() -> None:
    answer = exponential().pdf([0.0, 1.0], full_output=True)
    assert answer.method[0] == "exact"
    assert answer.method[1] in ("uniformise", "contour")
    assert (answer.bound < 1e-11).all()
    assert set(answer.kind) <= {"certified", "verified"}
    forced = exponential().pdf([1.0], full_output=True, method="uniformise")
    assert forced.method.tolist() == ["uniformise"]
    assert forced.kind.tolist() == ["certified"]


def test_distribution_and_survival_add_up_to_one() -> None:
    for x in (with_atom(), kingman(5).at([2.0])):
        np.testing.assert_allclose(x.cdf(TIMES) + x.sf(TIMES), 1.0, rtol=1e-14)


def test_logarithms_close_to_zero_keep_their_digits() -> None:
    x = exponential(1.0)
    assert x.logcdf(60.0) == pytest.approx(-math.exp(-60.0), rel=1e-12)
    assert x.logsf(1e-20) == pytest.approx(-1e-20, rel=1e-12)


# ---- rewards


def test_a_reward_that_is_constant_scales_time() -> None:
    x = with_atom()
    rewards = np.full(x.trace.n_vertices, 4.0)
    np.testing.assert_allclose(x.cdf(4 * TIMES, rewards=rewards), x.cdf(TIMES), rtol=1e-12)
    np.testing.assert_allclose(x.pdf(4 * TIMES, rewards=rewards), x.pdf(TIMES) / 4, rtol=1e-12)


def test_rewards_of_zero_are_passed_over() -> None:
    # Of a coalescent only the time with two lineages: exponential of rate 1.
    graph = kingman(6)
    two = (graph.states()[:, 0] == 2).astype(float)
    x = graph.at([1.0])
    np.testing.assert_allclose(x.pdf(TIMES, rewards=two), np.exp(-TIMES), rtol=1e-12)
    assert x.pdf(0.0, rewards=np.zeros(graph.n_vertices)) == 0
    assert x.cdf(0.0, rewards=np.zeros(graph.n_vertices)) == 1


def test_rewards_of_a_cycle_keep_their_moments() -> None:
    # Integrates the density of rewards with zeros on a cyclic model against its moments.
    rates = np.array([[0, 1.0, 0.5, 0], [0.7, 0, 1.5, 0.2], [0.3, 0.4, 0, 2.0], [1.0, 0.1, 0.6, 0]])
    leave = np.array([0.2, 0.0, 0.4, 0.9])
    graph = Graph.from_matrices([0.4, 0.3, 0.2, 0.0], rates - np.diag(rates.sum(axis=1) + leave))
    x = graph.at()
    rewards = np.zeros(graph.n_vertices)
    rewards[1:5] = [0.0, 2.0, 0.0, 0.5]
    nodes, weights = np.polynomial.legendre.leggauss(200)
    y = 60 * (nodes + 1)
    density = x.pdf(y, rewards=rewards)
    total = 60 * (weights @ density) + x.defect(rewards)
    mean = 60 * (weights @ (y * density))
    assert total == pytest.approx(1.0, rel=1e-9)
    assert mean == pytest.approx(x.mean(rewards), rel=1e-8)
    assert x.cdf(0.0, rewards=rewards) == pytest.approx(x.defect(rewards), rel=1e-13)


def test_whole_rewards_of_a_discrete_graph() -> None:
    x = geometric(0.25)
    rewards = np.zeros(x.trace.n_vertices)
    rewards[1] = 3
    y = x.pmf(np.arange(10), rewards=rewards)
    np.testing.assert_allclose(y[[3, 6, 9]], 0.25 * 0.75 ** np.arange(3), rtol=1e-13)
    assert y[[0, 1, 2, 4, 5, 7, 8]].tolist() == [0] * 7


def test_a_matrix_of_rewards_has_a_row_a_variable() -> None:
    graph = kingman(4)
    x = graph.at([1.0])
    rows = np.vstack([np.ones(graph.n_vertices), graph.states()[:, 0]])
    value, slope = x.pdf(TIMES, rewards=rows, gradient=True)
    assert (value.shape, slope.shape) == ((2, 5), (2, 5, 1))
    np.testing.assert_array_equal(value[1], x.pdf(TIMES, rewards=rows[1]))


# ---- by vertex


def competing() -> Graph:
    graph = Graph(state_length=1)
    begin, one, other = (graph.find_or_create_vertex([k]) for k in (0, 1, 2))
    graph.starting_vertex().add_edge(begin, 1.0)
    begin.add_edge(one, [1.0, 0.0])
    begin.add_edge(other, [0.0, 1.0])
    return graph


def test_absorption_in_one_vertex() -> None:
    x = competing().at([1.0, 3.0])
    np.testing.assert_allclose(x.sub_cdf(TIMES, 2), -np.expm1(-4 * TIMES) / 4, rtol=1e-13)
    assert x.sub_cdf(math.inf, 3) == pytest.approx(0.75, rel=1e-14)
    value, slope = x.sub_cdf(1.0, 2, gradient=True)
    assert value == pytest.approx(-math.expm1(-4.0) / 4, rel=1e-13)
    # a / (a + b) (1 - exp(-(a + b))) in a and b
    share, gone = 1 / 4, math.exp(-4.0)
    expected = [3 / 16 * (1 - gone) + share * gone, -1 / 16 * (1 - gone) + share * gone]
    np.testing.assert_allclose(slope, expected, rtol=1e-12)


def test_occupation_of_a_birth_and_two_ends() -> None:
    x = competing().at([1.0, 3.0])
    where = x.state_probability(0.5)
    np.testing.assert_allclose(
        where, [0, math.exp(-2), -math.expm1(-2) / 4, -math.expm1(-2) * 0.75], rtol=1e-13
    )
    assert x.accumulated_visiting_time([0.5, 0.0])[:, 1].tolist() == pytest.approx(
        [-math.expm1(-2) / 4, 0.0], rel=1e-13
    )
    np.testing.assert_array_equal(x.stop_probability([0.5]), [where])


def test_gradient_of_two_competing_ends() -> None:
    a, b, t = 1.0, 3.0, 0.5
    x = competing().at([a, b])
    left, gone = math.exp(-(a + b) * t), -math.expm1(-(a + b) * t)
    time, slope = gone / (a + b), (t * left - gone / (a + b)) / (a + b)
    where, by_theta = x.state_probability(t, gradient=True)
    np.testing.assert_array_equal(where, x.state_probability(t))
    np.testing.assert_allclose(
        by_theta,
        [[0, 0], [-t * left] * 2, [time + a * slope, a * slope], [b * slope, time + b * slope]],
        rtol=1e-13,
    )
    spent, by_theta = x.accumulated_visiting_time([0.0, t], gradient=True)
    assert spent.shape == (2, 4)
    assert by_theta.shape == (2, 4, 2)
    np.testing.assert_array_equal(by_theta[0], 0)
    np.testing.assert_allclose(by_theta[1, 1], slope, rtol=1e-13)


def test_gradient_of_occupation_in_a_row() -> None:
    # k vertices left at rate theta in turn: Poisson counts, and their distribution functions.
    k, rate, t = 4, 1.5, 2.0
    graph = Graph(state_length=1)
    row = [graph.find_or_create_vertex([i + 1]) for i in range(k + 1)]
    graph.starting_vertex().add_edge(row[0], 1.0)
    for one, other in itertools.pairwise(row):
        one.add_edge(other, [1.0])
    x = graph.at([rate])
    mean = rate * t
    count = [math.exp(-mean) * mean**i / math.factorial(i) for i in range(k)]
    before = [0.0, *count[:-1]]
    where, slope = x.state_probability(t, gradient=True)
    np.testing.assert_allclose(where[1 : k + 1], count, rtol=1e-13)
    np.testing.assert_allclose(
        slope[1 : k + 1, 0], [t * (p - q) for p, q in zip(before, count, strict=True)], rtol=1e-12
    )
    np.testing.assert_allclose(slope[k + 1, 0], t * count[-1], rtol=1e-12)
    spent, slope = x.accumulated_visiting_time(t, gradient=True)
    later = [1 - math.fsum(count[: i + 1]) for i in range(k)]
    np.testing.assert_allclose(spent[1 : k + 1], np.array(later) / rate, rtol=1e-12)
    np.testing.assert_allclose(
        slope[1 : k + 1, 0],
        [(mean * p - q) / rate**2 for p, q in zip(count, later, strict=True)],
        rtol=1e-11,
    )


def test_gradient_of_occupation_where_the_start_depends_on_theta() -> None:
    graph = Graph(state_length=1)
    ends = [graph.find_or_create_vertex([i]) for i in (1, 2)]
    graph.starting_vertex().add_edge(ends[0], [1.0, 0.0])
    graph.starting_vertex().add_edge(ends[1], [0.0, 1.0])
    ends[0].add_edge(graph.find_or_create_vertex([3]), 2.0)
    x = graph.at([1.0, 3.0])
    for t in (0.0, 0.5):
        _, slope = x.state_probability(t, gradient=True)
        share, left = np.array([3 / 16, -1 / 16]), math.exp(-2 * t)
        np.testing.assert_allclose(
            slope, [[0, 0], share * left, -share, share * (1 - left)], rtol=1e-13
        )


def test_occupation_of_a_stiff_chain() -> None:
    # Two vertices change into each other at 1e15 and 2e15; the first ends at rate theta.
    graph = Graph(state_length=1)
    one, other, end = (graph.find_or_create_vertex([i]) for i in (1, 2, 3))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(other, 1e15)
    other.add_edge(one, 2e15)
    one.add_edge(end, [1.0])
    x = graph.at([0.75])
    left = math.exp(-2 / 3 * 0.75 * 4)
    where, slope = x.state_probability(4.0, gradient=True)
    share = np.array([2 / 3, 1 / 3])
    np.testing.assert_allclose(where[1:], [*(share * left), 1 - left], rtol=1e-12)
    np.testing.assert_allclose(slope[1:, 0], [*(-8 / 3 * share * left), 8 / 3 * left], rtol=1e-11)
    spent = x.accumulated_visiting_time(4.0)
    np.testing.assert_allclose(spent[1:3], share * (1 - left) / 0.5, rtol=1e-12)


# ---- epochs


def test_epochs_of_an_exponential_time() -> None:
    graph = Graph(state_length=1)
    working, failed = (graph.find_or_create_vertex([k]) for k in (1, 0))
    graph.starting_vertex().add_edge(working, 1.0)
    working.add_edge(failed, [1.0])
    x = graph.at([1.0], epochs=[(1.0, [0.0]), (2.0, [3.0])])
    log_sf = [-0.5, -1.0, -1.0, -1.0 - 3 * 0.5]
    np.testing.assert_allclose(x.logsf([0.5, 1.0, 1.7, 2.5]), log_sf, rtol=1e-12)
    np.testing.assert_allclose(x.pdf([0.5, 1.5]), [math.exp(-0.5), 0.0], rtol=1e-12)
    assert x.quantile(0.9) == pytest.approx(2 + (math.log(10) - 1) / 3, rel=1e-12)
    assert x.accumulated_visiting_time(1.5)[2] == pytest.approx(
        1 - math.exp(-1) + 0.5 * math.exp(-1), rel=1e-12
    )
    assert x.sub_cdf(math.inf, 1) == pytest.approx(1.0, rel=1e-12)
    for question in ({"hessian": True}, {"rewards": np.ones(3)}):
        with pytest.raises(NumericError):
            x.pdf(1.0, **question)


# ---- likelihood


def test_likelihood_of_exact_repeated_and_censored_data() -> None:
    x = kingman(5).at([1.5])
    data = [0.3, 0.9, 0.3]
    exact = float(np.sum(x.logpdf(data)))
    assert x.loglik(data) == pytest.approx(exact, rel=1e-14)
    assert x.loglik([0.3, 0.9], [2, 1]) == pytest.approx(exact, rel=1e-14)
    censored = x.loglik(data, right_censored=[2.0], intervals=[(0.1, 0.4), (3.0, 5.0)])
    parts = x.logsf(2.0) + math.log(x.cdf(0.4) - x.cdf(0.1)) + math.log(x.sf(3.0) - x.sf(5.0))
    assert censored == pytest.approx(exact + parts, rel=1e-12)
    assert x.loglik([-1.0]) == -math.inf
    assert x.loglik([]) == 0


def test_likelihood_has_derivatives() -> None:
    graph = kingman(5)
    data = {"right_censored": [2.0], "intervals": [(0.1, 0.4), (3.0, 5.0)]}
    _, slope = graph.at([1.5]).loglik([0.3, 0.9], [2, 1], gradient=True, **data)
    step = 1e-6
    more, less = (graph.at([1.5 + d]).loglik([0.3, 0.9], [2, 1], **data) for d in (step, -step))
    assert slope[0] == pytest.approx((more - less) / (2 * step), rel=1e-7)
    value, slope, curvature = graph.at([1.5]).loglik([0.3, 0.9], hessian=True)
    _, more = graph.at([1.5 + step]).loglik([0.3, 0.9], gradient=True)
    _, less = graph.at([1.5 - step]).loglik([0.3, 0.9], gradient=True)
    assert curvature[0, 0] == pytest.approx((more - less)[0] / (2 * step), rel=1e-6)
    assert value == graph.at([1.5]).loglik([0.3, 0.9])


def test_many_observations_are_interpolated_and_agree_with_few() -> None:
    x = kingman(20).at([1.0])
    data = x.quantile(np.linspace(0.001, 0.999, 4000))
    many = x.logpdf(data, full_output=True)
    some = x.logpdf(data[::50], full_output=True)
    assert (np.abs(many.value[::50] - some.value) <= many.bound[::50] + some.bound).all()
    assert np.abs(many.value[::50] - some.value).max() < 1e-11
    _, slope = x.logpdf(data, gradient=True)
    np.testing.assert_allclose(slope[::50], x.logpdf(data[::50], gradient=True)[1], rtol=1e-8)


# ---- what is refused


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda x, d: x.pdf(math.nan), "TIME_NAN"),
        (lambda x, d: x.pdf("soon"), "NOT_NUMBERS"),
        (lambda x, d: x.pmf(1), "NOT_DISCRETE"),
        (lambda x, d: d.pdf(1), "NOT_CONTINUOUS"),
        (lambda x, d: x.pdf(1.0, rewards=[1.0]), "REWARD_LENGTH"),
        (lambda x, d: x.pdf(1.0, rewards=[0, -1.0, 0, 0]), "REWARD_INVALID"),
        (lambda x, d: d.pmf(1, rewards=[0, 0.5, 0]), "REWARD_NOT_WHOLE"),
        (lambda x, d: x.quantile(1.5), "NOT_A_PROBABILITY"),
        (lambda x, d: x.quantile(-0.1), "NOT_A_PROBABILITY"),
        (lambda x, d: x.quantile(math.nan), "NOT_A_PROBABILITY"),
        (lambda x, d: x.pdf(1.0, method="guess"), "METHOD_UNKNOWN"),
        (lambda x, d: x.pdf(1.0, tolerance=0.0), "TOLERANCE"),
        (lambda x, d: x.pdf(1.0, tolerance=1e-30), "DENSITY_REFUSED"),
        (lambda x, d: x.hazard(math.inf), "TIME_INFINITE"),
        (lambda x, d: x.sub_cdf(1.0, 1), "NOT_ABSORBING"),
        (lambda x, d: x.state_probability(-1.0), "TIME_INVALID"),
        (lambda x, d: d.quantile(0.5, gradient=True), "NOT_DIFFERENTIABLE"),
        (lambda x, d: x.loglik([1.0], [-1.0]), "WEIGHTS_INVALID"),
        (lambda x, d: x.loglik([1.0], intervals=[(2.0, 1.0)]), "INTERVALS_INVALID"),
        (lambda x, d: x.loglik([1.0], intervals=[(1.0, 1.0 + 1e-14)]), "INTERVAL_TOO_NARROW"),
    ],
)
def test_bad_input_is_an_error_with_a_code(ask: Any, code: str) -> None:
    with pytest.raises(NumericError) as caught:
        ask(with_atom(), geometric())
    assert caught.value.code == code
    assert str(caught.value).startswith("FATAL:")


def test_unknown_arguments_are_named() -> None:
    with pytest.raises(TypeError, match="reward"):
        exponential().pdf(1.0, reward=[1.0])


def test_a_refusal_says_what_each_method_would_cost() -> None:
    # Its slowest oscillations last for 1e7, so that no contour fits, and a sweep takes 1e11.
    graph = Graph(state_length=1)
    places = [graph.find_or_create_vertex([k]) for k in range(10_000)]
    graph.starting_vertex().add_edge(places[0], 1.0)
    for place, following in zip(places, places[1:] + places[:1], strict=True):
        place.add_edge(following, 1.0)
    places[0].add_edge(graph.find_or_create_vertex([-1]), 1e-9)
    with pytest.raises(NumericError, match=r"uniformise costs .* dense does not apply"):
        graph.at().pdf(1e7)


def test_an_improper_time_may_be_endless() -> None:
    graph = Graph(state_length=1, improper=True)
    begin, end, trap, other = (graph.find_or_create_vertex([k]) for k in (0, 1, 2, 3))
    graph.starting_vertex().add_edge(begin, 1.0)
    begin.add_edge(end, 1.0)
    begin.add_edge(trap, 3.0)
    trap.add_edge(other, 1.0)
    other.add_edge(trap, 1.0)
    with pytest.warns(PhasicWarning, match="absorption"):
        x = graph.at()
    np.testing.assert_allclose(x.cdf(TIMES), -np.expm1(-4 * TIMES) / 4, rtol=1e-12)
    np.testing.assert_allclose(x.sf(TIMES), 0.75 + np.exp(-4 * TIMES) / 4, rtol=1e-12)
    assert x.cdf(math.inf) == pytest.approx(0.25, rel=1e-14)
    assert x.quantile([0.2, 0.3])[1] == math.inf


def test_a_graph_answers_at_its_own_theta() -> None:
    graph = kingman(4)
    graph.update_parameterized_weights([2.0])
    np.testing.assert_array_equal(graph.pdf(TIMES), graph.at([2.0]).pdf(TIMES))
    assert graph.quantile(0.5) == graph.at([2.0]).quantile(0.5)
    for name, times in itertools.product(("cdf", "sf", "hazard"), ([1.0], 2.0)):
        assert np.all(getattr(graph, name)(times) == getattr(graph.at([2.0]), name)(times))


@pytest.mark.parametrize("discrete", [False, True])
def test_the_reward_transformed_graph_has_the_rewards_moments(discrete: bool) -> None:
    rates = np.array([[0.1, 0.3, 0.2], [0.2, 0.3, 0.1], [0.1, 0.2, 0.4]])
    matrix = rates if discrete else rates - np.diag([1.0, 2.0, 3.0])
    graph = Graph.from_matrices([0.5, 0.2, 0.2], matrix, discrete=discrete)
    rewards = [0, 2, 0, 3, 0]
    transformed = graph.reward_transform(rewards)
    np.testing.assert_allclose(transformed.moments(3), graph.moments(3, rewards), rtol=1e-12)
    assert transformed.defect() == pytest.approx(graph.defect(rewards), rel=1e-12)
