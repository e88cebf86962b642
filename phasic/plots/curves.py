"""Density, distribution function, survival function, hazard rate and probabilities as curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, NumericError
from . import sampling, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..distribution import Distribution
    from ..epochs import EpochDistribution

Array = NDArray[np.float64]

# More probabilities than these are a line of points without stems.
_MOST_STEMS = 80
_MOST_BINS = 60
_LETTERS = {"time": "t", "steps": "k", "reward": "y"}
_SUBJECTS = {
    "time": "the time to absorption",
    "steps": "the number of steps to absorption",
    "reward": "the reward until absorption",
}


@dataclass(frozen=True)
class What:
    """A function and the words that go with it: continuous, discrete."""

    title: str
    y_label: str
    y_label_discrete: str
    with_data: bool


_TABLE = {
    "pdf": What("Density", "density  f({x})  [1 / {unit}]", "", True),
    "cdf": What("Distribution function", "P({v} ≤ {x})", "P({v} ≤ {x})", True),
    "sf": What("Survival function", "P({v} > {x})", "P({v} > {x})", True),
    "hazard": What(
        "Hazard rate", "hazard rate  h({x})  [1 / {unit}]", "P({v} = {x} | {v} ≥ {x})", False
    ),
    "pmf": What("Probabilities", "", "P({v} = {x})", True),
}
WHATS = tuple(_TABLE)


def plot_function(
    distribution: Distribution | EpochDistribution,
    what: str | None = None,
    times: ArrayLike | None = None,
    *,
    rewards: ArrayLike | None = None,
    data: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    title: str | None = None,
) -> Figure:
    """Draws one function of a distribution.

    Args:
        distribution: as `graph.at(theta)` gives it.
        what: "pdf", "cdf", "sf", "hazard" or "pmf"; None: pdf, or pmf of a discrete graph.
        times: where, in any order; None: between the quantiles 0.001 and 0.999, as densely as the
            curve needs, on a logarithmic axis where those are orders of magnitude apart.
        rewards: (n_vertices,), of what they collect in place of time.
        data: (n,) observations, drawn as a histogram or as their own distribution function.
        weights: (n,), of the observations.
        title: above the picture; None: what it is.

    Returns:
        A Matplotlib figure; `save_figure` writes it.

    Raises:
        DependencyError: Matplotlib is not installed.
        ConfigError: `what` is none of these, or data do not go with it.
        NumericError: the distribution has no such function there.

    Example:
        >>> from phasic.models import coalescent
        >>> from phasic.plots import plot_function
        >>> figure = plot_function(coalescent.kingman(5).at([1.0]))
        >>> figure.axes[0].get_xlabel()
        'time  t'
    """
    discrete = distribution.trace.discrete
    name = what or ("pmf" if discrete else "pdf")
    if name not in _TABLE:
        raise ConfigError(
            f"there is no picture {name!r}", code="PLOT_UNKNOWN", hint=f"give {', '.join(WHATS)}"
        )
    shown = _TABLE[name]
    if data is not None and not shown.with_data:
        raise ConfigError(
            f"data cannot be drawn beside the {shown.title.lower()}",
            code="PLOT_DATA",
            hint="draw the pdf, the cdf or the sf",
        )
    points, values, axis = _curve(distribution, name, times, rewards)
    variable = "reward" if rewards is not None else "steps" if discrete else "time"
    letters = {
        "v": "T" if rewards is None else "Y",
        "x": _LETTERS[variable],
        "unit": f"unit of {variable}",
    }
    y_label = (shown.y_label_discrete if discrete else shown.y_label).format(**letters)
    x_label = f"{variable}  {letters['x']}"
    if axis.stride > 1:
        x_label += f"  (every {axis.stride:,}th is drawn)"
    figure = style.new_figure(7.2, 4.5)
    axes = style.plain_axes(
        figure,
        title or f"{shown.title} of {_SUBJECTS[variable]}",
        _note(distribution, rewards, data),
        x_label + ("  (logarithmic)" if axis.wide else ""),
        y_label,
    )
    if data is not None:
        _draw_data(axes, name, data, weights, points, axis, discrete)
    _draw(axes, name, points, values, discrete)
    _finish(axes, name, points, values, axis, data is not None)
    return figure


@dataclass(frozen=True)
class _Axis:
    wide: bool = False
    stride: int = 1


def _curve(
    distribution: Distribution | EpochDistribution,
    name: str,
    times: ArrayLike | None,
    rewards: ArrayLike | None,
) -> tuple[Array, Array, _Axis]:
    discrete = distribution.trace.discrete

    def function(points: Array) -> Array:
        return np.asarray(getattr(distribution, name)(points, rewards=rewards), dtype=float)

    if times is not None:
        points = np.unique(np.asarray(times, dtype=float))
        if points.size < 2 or not np.isfinite(points).all():
            raise NumericError(
                "FATAL: a curve needs two different, finite times",
                code="PLOT_TIMES",
                hint="as in --times 0:5:101",
            )
        return points, function(points), _Axis()
    function(np.array([0.0]))  # refuses what the distribution does not have, before all else
    found = sampling.quantiles(distribution, rewards)
    if discrete:
        points, stride = sampling.even_steps(found)
        return points, function(points), _Axis(stride=stride)
    wide = sampling.is_wide(found)
    scale = np.log if wide else np.asarray
    points, values = sampling.refine(function, sampling.even_times(found, wide), scale)
    return points, values, _Axis(wide=wide)


# ---- words


def _note(
    distribution: Distribution | EpochDistribution,
    rewards: ArrayLike | None,
    data: ArrayLike | None,
) -> str:
    parts = []
    if hasattr(distribution, "theta"):
        parts.append(style.theta_note(distribution.theta))
    else:
        parts.append(f"{len(distribution.times)} epochs")
    variable = "T" if rewards is None else "Y"
    atom = float(distribution.cdf(0.0, rewards=rewards))
    if atom > 0 and not distribution.trace.discrete:
        parts.append(f"P({variable} = 0) = {style.number(atom)}")
    mean = distribution.mean(rewards)
    if np.isfinite(mean):
        parts.append(f"mean {style.number(mean)}")
        deviation = np.sqrt(distribution.variance(rewards))
        parts.append(f"standard deviation {style.number(float(deviation))}")
    else:  # there is a trap, which an improper graph may have
        endless = float(distribution.sf(np.inf, rewards=rewards))
        parts.append(f"P({variable} = ∞) = {style.number(endless)}")
    if data is not None:
        parts.append(f"{np.size(data):,} observations")
    return "   ·   ".join(part for part in parts if part)


# ---- marks


def _draw(axes: Axes, name: str, points: Array, values: Array, discrete: bool) -> None:
    line: dict[str, Any] = {"color": style.BLUE, "linewidth": 2.0, "label": "model", "zorder": 3}
    if not discrete:
        axes.plot(points, values, **line)
        if name == "pdf":
            axes.fill_between(points, values, color=style.BLUE, alpha=0.1, linewidth=0, zorder=2)
    elif name in ("cdf", "sf"):
        axes.step(points, values, where="post", **line)
    elif len(points) <= _MOST_STEMS:
        axes.vlines(points, 0, values, color=style.BLUE, linewidth=1.6, alpha=0.55, zorder=2)
        axes.plot(points, values, "o", color=style.BLUE, markersize=4.5, label="model", zorder=3)
    else:
        axes.plot(points, values, ".", color=style.BLUE, markersize=2.5, label="model", zorder=3)


def _draw_data(
    axes: Axes,
    name: str,
    data: ArrayLike,
    weights: ArrayLike | None,
    points: Array,
    axis: _Axis,
    discrete: bool,
) -> None:
    observed = np.asarray(data, dtype=float).reshape(-1)
    weight = np.ones(observed.size) if weights is None else np.asarray(weights, dtype=float)
    if not observed.size or not np.isfinite(observed).all() or not weight.sum() > 0:
        raise NumericError(
            "FATAL: there are no finite observations to draw",
            code="PLOT_DATA",
            hint="one number a line; a second column has their weights",
        )
    weight = weight / weight.sum()
    fill: dict[str, Any] = {"color": style.ORANGE, "alpha": 0.28, "linewidth": 0, "label": "data"}
    if name in ("cdf", "sf"):
        order = np.argsort(observed)
        heights = np.cumsum(weight[order])
        heights = heights if name == "cdf" else 1 - heights
        start = 0.0 if name == "cdf" else 1.0
        x = np.concatenate([[points[0]], observed[order], [max(points[-1], observed.max())]])
        y = np.concatenate([[start], heights, heights[-1:]])
        axes.step(x, y, where="post", color=style.ORANGE, linewidth=1.4, label="data", zorder=2)
    elif discrete:
        steps, which = np.unique(observed, return_inverse=True)
        axes.bar(steps, np.bincount(which, weight), width=0.8, **fill)
    else:
        edges = _bins(observed[observed > 0], axis.wide)
        # Observations of 0 are the atom: they belong to the total and to no bar.
        heights, _ = np.histogram(observed[observed > 0], edges, weights=weight[observed > 0])
        axes.bar(edges[:-1], heights / np.diff(edges), np.diff(edges), align="edge", **fill)


def _bins(observed: Array, wide: bool) -> Array:
    if not observed.size:
        return np.array([0.0, 1.0])
    x = np.log(observed) if wide else observed
    edges = np.histogram_bin_edges(x, "auto")
    if len(edges) > _MOST_BINS:
        edges = np.histogram_bin_edges(x, _MOST_BINS)
    return np.exp(edges) if wide else edges


def _finish(
    axes: Axes, name: str, points: Array, values: Array, axis: _Axis, with_data: bool
) -> None:
    positive = values[values > 0]
    if axis.wide:
        axes.set_xscale("log")
        if name in ("pdf", "hazard") and positive.size and positive.max() > 100 * positive.min():
            axes.set_yscale("log")
    if axes.get_yscale() == "linear":
        axes.set_ylim(bottom=0)
        if name in ("cdf", "sf"):
            axes.set_ylim(0, 1.03)
    if not axis.wide:
        pad = 0.02 * (points[-1] - points[0])
        axes.set_xlim(points[0] - (pad if len(points) <= _MOST_STEMS else 0), points[-1] + pad)
    if with_data:
        legend = axes.legend(frameon=False, fontsize=style.TICK_SIZE, loc="best")
        for text in legend.get_texts():
            text.set_color(style.INK)
