"""What several rewards collect, as a site-frequency spectrum is drawn: means, spread, covariances.

With one reward a class of sites (`phasic.models.coalescent.spectrum_rewards`) these are the branch
lengths L_i on which a mutation is seen i times. Mutations fall on them at rate m, independently:
their numbers have means m E[L_i] and covariances m² Cov(L_i, L_j), with m E[L_i] more where i = j.

Fu, Y.-X. (1995). Statistical properties of segregating sites. Theoretical Population Biology 48,
172-197.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, NumericError
from . import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..distribution import Distribution
    from ..epochs import EpochDistribution

Array = NDArray[np.float64]

MOST_CLASSES = 400
# More than these have no numbers in the cells, no bars of their own, no label each.
_MOST_NUMBERS = 12
_MOST_BARS = 80
_MOST_LABELS, _MOST_LONG_LABELS = 24, 14
# Covariances below this part of the largest have one colour.
_LEAST_SHARE = 1e-3
# Of a matrix's picture, in points; of letters beside their height; the smallest that are read.
_SIDE, _LETTER, _SMALLEST_LETTERS = 315, 0.62, 4.5


class Spectrum(NamedTuple):
    """Means (r,) and covariances (r, r) of what is collected."""

    means: Array
    covariance: Array


def spectrum(
    distribution: Distribution | EpochDistribution,
    rewards: ArrayLike,
    *,
    mutation_rate: float | None = None,
) -> Spectrum:
    """Means and covariances of what rewards collect, or of the mutations on it.

    Args:
        distribution: as `graph.at(theta)` gives it.
        rewards: (r, n_vertices), a row a class of sites.
        mutation_rate: mutations per unit of what is collected; None: that itself.

    Raises:
        NumericError: rewards do not fit, or the rate is negative or not finite.
        ConfigError: there are more than 400.

    Example:
        >>> from phasic.models import coalescent
        >>> from phasic.plots import spectrum
        >>> graph = coalescent.site_frequency(4)
        >>> rewards = coalescent.spectrum_rewards(graph)
        >>> spectrum(graph.at([1.0]), rewards, mutation_rate=0.5).means.round(12).tolist()
        [1.0, 0.5, 0.333333333333]
    """
    rows = np.atleast_2d(np.asarray(rewards, dtype=float))
    if not 1 <= len(rows) <= MOST_CLASSES:
        raise ConfigError(
            f"{len(rows)} rewards in one picture, expected 1 to {MOST_CLASSES}",
            code="PLOT_TOO_MANY",
            hint="choose rows, or add some up",
        )
    if mutation_rate is not None and not 0 <= mutation_rate < np.inf:
        raise NumericError(
            f"FATAL: the mutation rate is {mutation_rate}, expected a finite number of at least 0",
            code="MUTATION_RATE",
            hint="mutations per unit of branch length: half of the scaled rate often called theta",
        )
    means = np.asarray(distribution.mean_vector(rows))
    covariance = np.asarray(distribution.covariance_matrix(rows))
    if mutation_rate is None:
        return Spectrum(means, covariance)
    means = mutation_rate * means
    return Spectrum(means, mutation_rate * mutation_rate * covariance + np.diag(means))


def plot_spectrum(
    distribution: Distribution | EpochDistribution,
    rewards: ArrayLike,
    *,
    mutation_rate: float | None = None,
    labels: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """Draws the expected spectrum, each class with its standard deviation up and down.

    Args:
        distribution, rewards, mutation_rate: as for `spectrum`.
        labels: (r,), of the classes; None: 1, 2 and so on.
        title: above the picture.

    Returns:
        A Matplotlib figure; `save_figure` writes it.

    Raises:
        DependencyError: Matplotlib is not installed.
        NumericError, ConfigError: as `spectrum`; labels are not one for each class.

    Example:
        >>> from phasic.models import coalescent
        >>> from phasic.plots import plot_spectrum
        >>> graph = coalescent.site_frequency(6)
        >>> figure = plot_spectrum(graph.at([1.0]), coalescent.spectrum_rewards(graph))
        >>> figure.axes[0].get_ylabel()
        'branch length'
    """
    figure = style.new_figure(7.2, 4.5)
    means, covariance = spectrum(distribution, rewards, mutation_rate=mutation_rate)
    # Under epochs a variance that is next to nothing may come out below 0 by rounding.
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    names = _labels(labels, len(means))
    axes = style.plain_axes(
        figure,
        title or "Site-frequency spectrum",
        f"mean ± standard deviation   ·   {_note(distribution, mutation_rate)}",
        "class",
        _subject(mutation_rate),
    )
    at = np.arange(1, len(means) + 1)
    if len(means) <= _MOST_BARS:
        axes.bar(at, means, width=0.75, color=style.BLUE, alpha=0.55, linewidth=0, label="mean")
        axes.errorbar(
            at, means, yerr=deviation, fmt="none", ecolor=style.INK, elinewidth=1.2, capsize=3
        )
    else:
        band = (means - deviation, means + deviation)
        axes.fill_between(at, *band, color=style.BLUE, alpha=0.18, linewidth=0)
        axes.plot(at, means, color=style.BLUE, linewidth=2, label="mean")
    top = float((means + deviation).max())
    axes.set_ylim(0, 1.05 * top if top > 0 else 1)
    axes.set_xlim(0.4, len(means) + 0.6)
    _label_axis(axes, "x", names)
    return figure


def plot_covariance(
    distribution: Distribution | EpochDistribution,
    rewards: ArrayLike,
    *,
    mutation_rate: float | None = None,
    labels: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """Draws the covariances of the spectrum as a heat map: blue below 0, orange above.

    Colours follow the logarithm, down to 1e-3 of the largest, so that small ones are seen too.

    Args:
        distribution, rewards, mutation_rate, labels, title: as for `plot_spectrum`.

    Returns:
        A Matplotlib figure; `save_figure` writes it.

    Raises:
        DependencyError: Matplotlib is not installed.
        NumericError, ConfigError: as `plot_spectrum`.

    Example:
        >>> from phasic.models import coalescent
        >>> from phasic.plots import plot_covariance
        >>> graph = coalescent.site_frequency(6)
        >>> figure = plot_covariance(graph.at([1.0]), coalescent.spectrum_rewards(graph))
        >>> figure.axes[0].images[0].get_array().shape
        (5, 5)
    """
    figure = style.new_figure(6.6, 6.2)
    from matplotlib.colors import LinearSegmentedColormap, SymLogNorm

    _, covariance = spectrum(distribution, rewards, mutation_rate=mutation_rate)
    names = _labels(labels, len(covariance))
    # As parts of the largest: its own size may be near the ends of what a double holds.
    largest = float(np.abs(covariance).max()) or 1.0
    axes = figure.add_subplot()
    colours = LinearSegmentedColormap.from_list(
        "covariance", [style.BLUE, style.PALE_BLUE, "white", style.PALE_ORANGE, style.ORANGE]
    )
    norm = SymLogNorm(_LEAST_SHARE, vmin=-1, vmax=1)
    image = axes.imshow(covariance / largest, cmap=colours, norm=norm, interpolation="none")
    axes.spines[:].set_color(style.GREY)
    _label_axis(axes, "x", names, first=0)
    _label_axis(axes, "y", names, first=0)
    if len(covariance) <= _MOST_NUMBERS:
        _write_numbers(axes, covariance, np.abs(np.asarray(norm(covariance / largest)) - 0.5))
    bar = figure.colorbar(image, ax=axes, shrink=0.75, pad=0.03)
    bar.outline.set_edgecolor(style.GREY)
    bar.ax.tick_params(colors=style.MUTED, labelsize=style.TICK_SIZE, length=3)
    steps = [1.0, 0.1, 0.01, _LEAST_SHARE]
    bar.set_ticks([*(-step for step in steps), 0.0, *reversed(steps)])
    bar.ax.yaxis.set_major_formatter(lambda share, _: style.number(share * largest, 2))
    bar.ax.minorticks_off()
    of = "branch lengths" if mutation_rate is None else "numbers of mutations"
    note = f"covariances of {of}   ·   {_note(distribution, mutation_rate)}"
    style.heading(figure, title or "Covariance of the spectrum", note)
    return figure


def _write_numbers(axes: Axes, covariance: Array, strength: Array) -> None:
    texts = [[style.number(float(value), 2) for value in row] for row in covariance]
    longest = max(len(text) for row in texts for text in row)
    size = min(style.TICK_SIZE, _SIDE / len(covariance) / (_LETTER * (longest + 1)))
    if size < _SMALLEST_LETTERS:
        return
    for row, column in np.ndindex(covariance.shape):
        axes.text(
            column,
            row,
            texts[row][column],
            fontsize=size,
            color="white" if strength[row, column] > 0.4 else style.INK,
            ha="center",
            va="center",
        )


def _label_axis(axes: Axes, which: Literal["x", "y"], names: Sequence[str], first: int = 1) -> None:
    """Each class with its label, or every so many where they would run into each other."""
    longest = max(map(len, names))
    stride = -(-len(names) // (_MOST_LABELS if longest < 3 else _MOST_LONG_LABELS))
    if longest > 3:  # they are turned
        stride = -(-len(names) // _MOST_LABELS)
    shown = range(stride - 1, len(names), stride) if stride > 1 else range(len(names))
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks([k + first for k in shown], [names[k] for k in shown])
    axes.tick_params(
        axis=which,
        colors=style.MUTED,
        labelsize=style.TICK_SIZE,
        length=3,
        labelrotation=90 if which == "x" and longest > 3 else 0,
    )
    axis.set_label_text("class", fontsize=style.LABEL_SIZE, color=style.INK)


def _labels(labels: Sequence[str] | None, count: int) -> Sequence[str]:
    if labels is None:
        return [str(k) for k in range(1, count + 1)]
    if len(labels) != count:
        raise ConfigError(
            f"{len(labels)} labels for {count} classes", code="PLOT_LABELS", hint="one for each"
        )
    return labels


def _subject(mutation_rate: float | None) -> str:
    return "branch length" if mutation_rate is None else "number of mutations"


def _note(distribution: Distribution | EpochDistribution, mutation_rate: float | None) -> str:
    if hasattr(distribution, "theta"):
        parts = [style.theta_note(distribution.theta)]
    else:
        parts = [f"{len(distribution.times)} epochs"]
    if mutation_rate is not None:
        parts.append(f"mutation rate {style.number(mutation_rate)}")
    return "   ·   ".join(part for part in parts if part)
