"""What `phasic report` says of a model at one theta, or one that changes: time or a reward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasic._version import __version__
from phasic.cli.page import Page, shown
from phasic.cli.trace_facts import facts
from phasic.cli.trace_source import Opened
from phasic.distribution import Distribution
from phasic.epochs import EpochDistribution
from phasic.errors import NumericError
from phasic.plots import MOST_VERTICES, plot_function, plot_graph, svg_element

Array = NDArray[np.float64]
Epochs = Sequence[tuple[float, Array]]
AnyDistribution = Distribution | EpochDistribution

_PROBABILITIES = (0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.999)
_HIGHEST_MOMENT = 4


def write_report(
    opened: Opened,
    theta: Array,
    title: str,
    command: str,
    data: tuple[Array, Array | None] | None,
    *,
    epochs: Epochs = (),
    rewards: Array | None = None,
) -> str:
    """The page as HTML.

    Args:
        opened: the model's trace.
        theta: (n_parameters,).
        title: above it all.
        command: what was asked, as it would be typed.
        data: observations and their weights, if there are any.
        epochs: times from which theta is another, with it.
        rewards: (n_vertices,), what is collected in place of time.

    Raises:
        DependencyError: Matplotlib is not installed.
        NumericError: the model has no such distribution at theta, or the data do not fit it; or
            rewards are given and epochs, under which they have no density.
    """
    distribution: AnyDistribution = Distribution(opened.trace, theta)
    if epochs:
        distribution = EpochDistribution(opened.trace, theta, epochs)
    page = Page(title)
    page.note(f"phasic {__version__}: {command}")
    _model(page, opened, theta, epochs)
    _moments(page, distribution, rewards)
    _functions(page, distribution, rewards, data)
    _quantiles(page, distribution, rewards)
    if data is not None:
        _data(page, distribution, rewards, *data)
    _states(page, opened, theta, epochs)
    return page.html()


def _model(page: Page, opened: Opened, theta: Array, epochs: Epochs) -> None:
    page.heading("Model")
    found = {name.replace("_", " "): value for name, value in facts(opened).items()}
    del found["origin"]  # the same page whether it was recorded now or before
    page.fields(found)
    if theta.size:
        page.heading("Parameters")
        later = [f"from {shown(time)} on" for time, _ in epochs]
        columns = ("parameter", "theta", *later)
        page.table(columns, _numbered(theta, *(changed for _, changed in epochs)))


def _numbered(*columns: Array) -> list[tuple[Any, ...]]:
    """Rows of a table whose first column is their number from 0 on."""
    return [
        (number, *row)
        for number, row in enumerate(zip(*(c.tolist() for c in columns), strict=True))
    ]


def _moments(page: Page, distribution: AnyDistribution, rewards: Array | None) -> None:
    page.heading("Moments")
    moments = distribution.moments(_HIGHEST_MOMENT, rewards).tolist()
    rows: list[tuple[str, Any]] = [("mean", moments[0])]
    rows.append(("variance", _value(distribution.variance, rewards)))
    rows.append(("standard deviation", _value(distribution.std, rewards)))
    if isinstance(distribution, Distribution):
        rows.append(("skewness", _value(distribution.skewness, rewards)))
        excess = _value(distribution.kurtosis, rewards)
        rows.append(("kurtosis (beyond that of a normal one)", excess))
    letter = "T" if rewards is None else "Y"
    rows += [(f"E[{letter}^{order}]", value) for order, value in enumerate(moments[1:], 2)]
    page.table(("moment", "value"), rows)


def _value(function: Callable[..., float], rewards: Array | None) -> float | str:
    """What a function of the distribution is, or why there is none."""
    try:
        return float(function(rewards))
    except NumericError as error:
        return error.message.removeprefix("FATAL: ")


def _functions(
    page: Page,
    distribution: AnyDistribution,
    rewards: Array | None,
    data: tuple[Array, Array | None] | None,
) -> None:
    observed, weights = data or (None, None)
    density = "pmf" if distribution.discrete else "pdf"
    captions = {
        density: "Probabilities" if distribution.discrete else "Density",
        "cdf": "Distribution function",
        "sf": "Survival function",
    }
    page.heading("Distribution" if rewards is None else "Distribution of the reward")
    for what, caption in captions.items():
        beside = observed if what != "sf" else None
        figure = plot_function(
            distribution,
            what,
            rewards=rewards,
            data=beside,
            weights=weights if beside is not None else None,
        )
        if beside is not None:
            caption += ", with the data beside it"
        page.picture(svg_element(figure, what), caption)


def _quantiles(page: Page, distribution: AnyDistribution, rewards: Array | None) -> None:
    page.heading("Quantiles")
    values = distribution.quantile(np.array(_PROBABILITIES), rewards=rewards).tolist()
    variable, value = ("T", "t") if rewards is None else ("Y", "y")
    columns = ("p", f"smallest {value} with P({variable} ≤ {value}) ≥ p")
    page.table(columns, zip(_PROBABILITIES, values, strict=True))


def _data(
    page: Page,
    distribution: AnyDistribution,
    rewards: Array | None,
    observed: Array,
    weights: Array | None,
) -> None:
    page.heading("Data")
    weight = np.ones(observed.size) if weights is None else weights
    mean = float(np.average(observed, weights=weight))
    spread = float(np.sqrt(np.average((observed - mean) ** 2, weights=weight)))
    page.fields(
        {
            "observations": int(observed.size),
            "sum of weights": float(weight.sum()),
            "mean": mean,
            "standard deviation": spread,
            "smallest": float(observed.min()),
            "largest": float(observed.max()),
            "log-likelihood": float(
                distribution.loglik(observed, weights=weights, rewards=rewards)
            ),
        }
    )


def _states(page: Page, opened: Opened, theta: Array, epochs: Epochs) -> None:
    page.heading("States")
    count = opened.trace.n_vertices
    if count > MOST_VERTICES:
        page.note(f"{shown(count)} vertices are too many to draw; {MOST_VERTICES} at most are.")
        return
    caption = f"States and rates, until {shown(epochs[0][0])}" if epochs else "States and rates"
    page.picture(svg_element(plot_graph(opened.trace, theta), "states"), caption)
