"""What `phasic report` says of a model at one theta."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasic._version import __version__
from phasic.cli.page import Page, shown
from phasic.cli.trace_facts import facts
from phasic.cli.trace_source import Opened
from phasic.distribution import Distribution
from phasic.errors import NumericError
from phasic.plots import MOST_VERTICES, plot_function, plot_graph, svg_element

Array = NDArray[np.float64]

_PROBABILITIES = (0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.999)
_HIGHEST_MOMENT = 4


def write_report(
    opened: Opened,
    theta: Array,
    title: str,
    command: str,
    data: tuple[Array, Array | None] | None,
) -> str:
    """The page as HTML.

    Args:
        opened: the model's trace.
        theta: (n_parameters,).
        title: above it all.
        command: what was asked, as it would be typed.
        data: observations and their weights, if there are any.

    Raises:
        DependencyError: Matplotlib is not installed.
        NumericError: the model has no such distribution at theta, or the data do not fit it.
    """
    distribution = Distribution(opened.trace, theta)
    page = Page(title)
    page.note(f"phasic {__version__}: {command}")
    _model(page, opened, theta)
    _moments(page, distribution)
    _functions(page, distribution, data)
    _quantiles(page, distribution)
    if data is not None:
        _data(page, distribution, *data)
    _states(page, opened, theta)
    return page.html()


def _model(page: Page, opened: Opened, theta: Array) -> None:
    page.heading("Model")
    found = {name.replace("_", " "): value for name, value in facts(opened).items()}
    del found["origin"]  # the same page whether it was recorded now or before
    page.fields(found)
    if theta.size:
        page.heading("Parameters")
        page.table(("parameter", "theta"), enumerate(theta.tolist()))


def _moments(page: Page, distribution: Distribution) -> None:
    page.heading("Moments")
    moments = distribution.moments(_HIGHEST_MOMENT).tolist()
    rows: list[tuple[str, Any]] = [("mean", moments[0])]
    for name, function in (
        ("variance", distribution.variance),
        ("standard deviation", distribution.std),
        ("skewness", distribution.skewness),
        ("kurtosis (beyond that of a normal one)", distribution.kurtosis),
    ):
        rows.append((name, _value(function)))
    rows += [(f"E[T^{order}]", value) for order, value in enumerate(moments[1:], 2)]
    page.table(("moment", "value"), rows)


def _value(function: Callable[[], float]) -> float | str:
    """What a function of the distribution is, or why there is none."""
    try:
        return float(function())
    except NumericError as error:
        return error.message.removeprefix("FATAL: ")


def _functions(
    page: Page, distribution: Distribution, data: tuple[Array, Array | None] | None
) -> None:
    observed, weights = data or (None, None)
    density = "pmf" if distribution.discrete else "pdf"
    captions = {
        density: "Probabilities" if distribution.discrete else "Density",
        "cdf": "Distribution function",
        "sf": "Survival function",
    }
    page.heading("Distribution")
    for what, caption in captions.items():
        beside = observed if what != "sf" else None
        figure = plot_function(
            distribution, what, data=beside, weights=weights if beside is not None else None
        )
        if beside is not None:
            caption += ", with the data beside it"
        page.picture(svg_element(figure, what), caption)


def _quantiles(page: Page, distribution: Distribution) -> None:
    page.heading("Quantiles")
    values = distribution.quantile(np.array(_PROBABILITIES)).tolist()
    page.table(("p", "smallest t with P(T ≤ t) ≥ p"), zip(_PROBABILITIES, values, strict=True))


def _data(page: Page, distribution: Distribution, observed: Array, weights: Array | None) -> None:
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
            "log-likelihood": float(distribution.loglik(observed, weights=weights)),
        }
    )


def _states(page: Page, opened: Opened, theta: Array) -> None:
    page.heading("States")
    count = opened.trace.n_vertices
    if count > MOST_VERTICES:
        page.note(f"{shown(count)} vertices are too many to draw; {MOST_VERTICES} at most are.")
        return
    page.picture(svg_element(plot_graph(opened.trace, theta), "states"), "States and rates")
