"""What a hostile user asks: numbers at the edges of double, nothing left, too much, no numbers."""

from __future__ import annotations

import itertools
import math
import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from phasic import Graph, NumericError, PhasicWarning
from phasic.distribution import Distribution

FUNCTIONS = ("pdf", "cdf", "sf", "logpdf", "logcdf", "logsf")


def erlang(stages: int) -> Graph:
    """Each stage is left at theta[0]."""
    graph = Graph(state_length=1)
    states = [graph.find_or_create_vertex([stages - k]) for k in range(stages + 1)]
    graph.starting_vertex().add_edge(states[0], 1.0)
    for here, there in itertools.pairwise(states):
        graph.add_edge_parameterized(here, there, 0.0, [1.0])
    return graph


def back_and_forth() -> Graph:
    """3 -> 2 at theta[0], 2 -> 3 at theta[1], 2 -> absorption at 2 theta[0]."""
    graph = Graph(state_length=1)
    three, two, end = (graph.find_or_create_vertex([k]) for k in (3, 2, 1))
    graph.starting_vertex().add_edge(three, 1.0)
    graph.add_edge_parameterized(three, two, 0.0, [1.0, 0.0])
    graph.add_edge_parameterized(two, three, 0.0, [0.0, 1.0])
    graph.add_edge_parameterized(two, end, 0.0, [2.0, 0.0])
    return graph


def trap() -> Distribution:
    """Absorbed at rate 1, trapped at rate 3."""
    graph = Graph(state_length=1, improper=True)
    begin, end, one, other = (graph.find_or_create_vertex([k]) for k in (0, 1, 2, 3))
    graph.starting_vertex().add_edge(begin, 1.0)
    for source, target, rate in ((begin, end, 1.0), (begin, one, 3.0), (one, other, 1.0)):
        source.add_edge(target, rate)
    other.add_edge(one, 1.0)
    with pytest.warns(PhasicWarning, match="absorption"):
        return graph.at()


def refusal(ask: Any) -> NumericError:
    """The error, which has a hint."""
    with pytest.raises(NumericError) as caught:
        ask()
    assert caught.value.hint
    return caught.value


# ---- numbers far from 1


@pytest.mark.parametrize("rate", [1e-300, 1e-200, 1e-60, 1e60, 1e100, 1e200, 1e300])
def test_a_unit_of_time_changes_nothing(rate: float) -> None:
    """The density is the rate times that of rate 1, the others are those of rate 1."""
    x = np.array([1e-3, 0.5, 2.0, 30.0])
    one, far = erlang(4).at([1.0]), erlang(4).at([rate])
    for name in FUNCTIONS:
        found, expected = getattr(far, name)(x / rate), getattr(one, name)(x)
        if name == "pdf":
            expected = expected * rate
        if name == "logpdf":
            expected = expected + math.log(rate)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)
    p = np.array([1e-9, 0.3, 0.9])
    np.testing.assert_allclose(far.quantile(p) * rate, one.quantile(p), rtol=1e-12)


def test_a_density_beyond_what_doubles_hold_is_refused_soon() -> None:
    """Of order 1e-640: a sweep can never find it, and used to be carried on to its last step."""
    error = refusal(lambda: back_and_forth().at([1e-320, 1.0]).pdf(0.5, method="uniformise"))
    assert error.code == "DENSITY_REFUSED"


def test_derivatives_beyond_double_are_refused_and_never_nan() -> None:
    x = back_and_forth().at([1e-300, 1e-300])
    for ask in (
        lambda: x.logpdf(0.5, gradient=True),
        lambda: x.quantile([0.1, 0.9], gradient=True),
    ):
        assert refusal(ask).code == "DENSITY_REFUSED"


@pytest.mark.parametrize("p", [5e-324, 1e-320, 1e-300, 1e-200])
def test_quantiles_of_tiny_probabilities(p: float) -> None:
    exponential = erlang(1).at([2.0])
    assert exponential.quantile(p) == pytest.approx(p / 2, rel=1e-12, abs=5e-324)
    stages = erlang(20).at([1.0])
    expected = math.exp((math.log(p) + math.lgamma(21)) / 20)  # F(t) = t^20 / 20! and less
    assert stages.quantile(p) == pytest.approx(expected, rel=1e-6)


def test_far_out_a_value_is_0_and_its_logarithm_is_told_or_refused() -> None:
    x = erlang(2).at([1.0])
    times = [1e5, 1e8, 1e12, 1e30, 1e300, 1.7e308, math.inf]
    np.testing.assert_array_equal(x.sf(times), 0.0)
    np.testing.assert_array_equal(x.pdf(times), 0.0)
    np.testing.assert_array_equal(x.cdf(times), 1.0)
    assert x.logsf(1e5) == pytest.approx(-1e5 + math.log1p(1e5), rel=1e-14)
    for ask in (x.logsf, x.logpdf, x.hazard, lambda t: x.loglik([t])):
        assert refusal(lambda ask=ask: ask(1e300)).code == "DENSITY_REFUSED"
    assert x.logsf(math.inf) == x.logpdf(math.inf) == -math.inf


def test_times_below_the_range_of_double() -> None:
    x = erlang(1).at([3.0])
    np.testing.assert_allclose(x.pdf([1e-320, 5e-324]), 3.0, rtol=1e-14)
    np.testing.assert_allclose(x.sf([1e-320, 5e-324]), 1.0, rtol=1e-14)


def test_rewards_so_small_that_rates_leave_double() -> None:
    x = back_and_forth().at([1.0, 2.0])
    tiny = [0.0, 0.0, 1e-320, 1e-320]
    for ask in (lambda: x.pdf([0.0, 0.5], rewards=tiny), lambda: x.rewarded_matrices(tiny)):
        assert refusal(ask).code == "RESULT_OVERFLOW"
    assert x.skewness(np.array(tiny) * 1e20) == pytest.approx(x.skewness(), rel=1e-3)


def test_moments_of_absurd_order_are_refused_soon() -> None:
    steps = Graph.from_matrices([1.0], [[0.5]], discrete=True).at()
    assert refusal(lambda: steps.moments(10**6)).code == "TOO_MUCH_WORK"
    assert refusal(lambda: erlang(3).at([1.0]).moments(10**9)).code == "TOO_MUCH_WORK"
    for order in (0, -1, 1.5, True, None, "2"):
        assert refusal(lambda order=order: steps.moments(order)).code == "ORDER"


# ---- nothing left, nothing known


def test_there_is_no_hazard_when_all_is_over() -> None:
    step = Graph.from_matrices([1, 0], [[0, 1], [0, 0]], discrete=True).at()
    np.testing.assert_array_equal(step.hazard([0, 1, 2]), [0.0, 0.0, 1.0])
    assert refusal(lambda: step.hazard([1, 3])).code == "HAZARD_UNDEFINED"
    with pytest.warns(PhasicWarning, match="START_ABSORBED"):
        over = Graph.from_matrices([0.0], [[-1.0]]).at()
    assert refusal(lambda: over.hazard(1.0)).code == "HAZARD_UNDEFINED"


def test_rewards_of_nothing_make_no_graph() -> None:
    graph = erlang(2)
    assert graph.at([1.0]).defect([0.0] * 4) == 1.0
    error = refusal(lambda: graph.reward_transform([0.0] * 4, [1.0]))
    assert error.code == "REWARDS_ZERO"


def test_where_a_trapped_process_is_is_not_known() -> None:
    x = trap()
    for ask in (x.state_probability, x.accumulated_visiting_time):
        assert refusal(lambda ask=ask: ask(1.0)).code == "VERTICES_DROPPED"
    assert x.quantile(1e-300) == pytest.approx(1e-300, rel=1e-12)
    assert x.cdf(1e300) == pytest.approx(0.25, rel=1e-14)


def test_an_epoch_that_is_hardly_there_or_hardly_ends() -> None:
    graph = back_and_forth()
    at_once = graph.at([1.0, 2.0], epochs=[(1e-320, [2.0, 2.0])])
    never = graph.at([1.0, 2.0], epochs=[(1e300, [2.0, 2.0])])
    for epochs, plain in ((at_once, graph.at([2.0, 2.0])), (never, graph.at([1.0, 2.0]))):
        np.testing.assert_allclose(epochs.cdf([0.5, 2.0]), plain.cdf([0.5, 2.0]), rtol=1e-12)
        np.testing.assert_allclose(epochs.quantile([0.1, 0.9]), plain.quantile([0.1, 0.9]))
    np.testing.assert_allclose(at_once.moments(3), graph.at([2.0, 2.0]).moments(3), rtol=1e-12)


def test_no_time_gives_no_row() -> None:
    x = erlang(2).at([1.0])
    assert x.state_probability([]).shape == (0, 4)
    assert x.accumulated_visiting_time(np.empty((0, 3)), gradient=True)[1].shape == (0, 3, 4, 1)
    assert x.absorption_probabilities([]).shape == (0,)
    assert x.loglik([], intervals=[]) == 0.0


def test_occupation_too_far_out_names_the_time() -> None:
    error = refusal(lambda: erlang(2).at([1.0]).state_probability([1.0, 1e300]))
    assert error.code == "DENSITY_REFUSED"
    assert "1e+300" in str(error)


# ---- no numbers


@pytest.mark.parametrize(
    "values",
    ["1.5", None, [1.0, None], 1j, [[1.0], [1.0, 2.0]], object(), 10**400, np.datetime64("2020")],
    ids=lambda values: type(values).__name__,
)
def test_what_is_no_number_is_refused_wherever_it_is_given(values: Any) -> None:
    x = erlang(2).at([1.0])
    asks = [x.cdf, x.quantile, x.state_probability, x.accumulated_visiting_time, x.laplace]
    asks += [x.loglik, lambda v: x.loglik([1.0], v if v is not None else [None]), erlang(2).at]
    if values is not None:  # which stands for the time itself
        asks += [x.mean, lambda v: x.pdf(1.0, rewards=v)]
    for ask in asks:
        assert refusal(lambda ask=ask: ask(values)).code == "NOT_NUMBERS"


def test_other_kinds_of_numbers_are_numbers() -> None:
    x = erlang(2).at([1.0])
    expected = x.cdf(0.5)
    for half in (Fraction(1, 2), Decimal("0.5"), np.float32(0.5), np.array(0.5), [0.5]):
        np.testing.assert_array_equal(x.cdf(half), expected)
    assert x.cdf(True) == x.cdf(np.int8(1)) == x.cdf(1.0)


@pytest.mark.parametrize("vertices", [[99], [-1], [0], [1.5], "a", [[1]]])
def test_what_is_no_absorbing_vertex_is_refused(vertices: Any) -> None:
    x = erlang(2).at([1.0])
    assert refusal(lambda: x.absorption_probabilities(vertices)).code == "NOT_ABSORBING"


@pytest.mark.parametrize("threads", [0, -3, 2.5, "a", 10**6])
def test_numbers_of_threads(threads: Any) -> None:
    x = erlang(2).at([1.0])
    assert refusal(lambda: x.sample(2, threads=threads)).code == "SAMPLE_NUMBER"


def test_an_infinite_quantile_has_a_bound() -> None:
    answer = erlang(2).at([1.0]).quantile([0.5, 1.0], full_output=True)
    assert answer.value[1] == math.inf
    assert (answer.bound < 1e-12).all()


def test_no_warning_of_numpy_gets_out() -> None:
    x = trap()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in FUNCTIONS:
            values = getattr(x, name)([-1.0, 0.0, 1e-320, 1.0, 1e2, math.inf])
            assert not np.isnan(values).any()


# ---- little is never absorbed


def nearly_proper(rate: float) -> Distribution:
    """Absorbed at rate 1, trapped at a rate that is a parameter."""
    graph = Graph(state_length=1, improper=True)
    begin, end, one, other = (graph.find_or_create_vertex([k]) for k in (0, 1, 2, 3))
    graph.starting_vertex().add_edge(begin, 1.0)
    begin.add_edge(end, 1.0)
    begin.add_edge_parameterized(one, 0.0, [1.0])
    one.add_edge(other, 1.0)
    other.add_edge(one, 1.0)
    with pytest.warns(PhasicWarning, match="absorption"):
        return graph.at([rate])


@pytest.mark.parametrize("rate", [1e-20, 1e-10, 1e-4, 0.2])
def test_the_logarithm_of_a_distribution_near_1_keeps_its_digits_where_some_is_trapped(
    rate: float,
) -> None:
    """P(Y > t) = (rate + exp(-(1 + rate) t)) / (1 + rate), exactly."""
    x = nearly_proper(rate)
    t = np.array([0.01, 2.0, 30.0, 60.0])
    lack = (rate + np.exp(-(1 + rate) * t)) / (1 + rate)
    np.testing.assert_allclose(x.sf(t[1:]), lack[1:], rtol=1e-13)
    found, slope = x.logcdf(t[1:], gradient=True)
    np.testing.assert_allclose(found, np.log1p(-lack[1:]), rtol=1e-13)
    step = np.exp(-(1 + rate) * t[1:])
    of_lack = (1 - step * ((1 + rate) * t[1:] + 1)) / (1 + rate) ** 2
    np.testing.assert_allclose(slope[:, 0], -of_lack / (1 - lack[1:]), rtol=1e-12)
    jax_like = x.trace.density([[rate]], t, "logcdf")
    assert jax_like[0].tolist() == x.logcdf(t).tolist()


def test_what_is_left_at_infinity_is_refused_where_it_has_too_few_digits() -> None:
    for rate in (1e-20, 1e-10):
        x = nearly_proper(rate)
        for function in ("sf", "logsf", "logcdf"):
            assert refusal(lambda f=function, x=x: getattr(x, f)(np.inf)).code == "DENSITY_REFUSED"
            with pytest.raises(NumericError) as caught:
                x.trace.density([[rate]], [np.inf], function)
            assert caught.value.code == "DENSITY_REFUSED"
        assert x.cdf(np.inf) == pytest.approx(1 / (1 + rate), rel=1e-15)
    x = nearly_proper(0.2)
    assert x.sf(np.inf) == pytest.approx(0.2 / 1.2, rel=1e-14)
    assert x.trace.density([[0.2]], [np.inf], "sf")[0, 0] == x.sf(np.inf)
