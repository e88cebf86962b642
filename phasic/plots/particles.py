"""Particles of a posterior: on their way, and each parameter against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from . import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

# More panels than these, in rows or columns, cannot be read.
MOST_PARAMETERS = 8
_BANDS = ((0.025, 0.975, 0.12), (0.25, 0.75, 0.25))


def plot_trace(
    trace: Array, iterations: NDArray[np.int64], names: tuple[str, ...] | None = None
) -> Figure:
    """Each parameter over the steps: median, and bands of half and 95 % of the particles.

    Args:
        trace: (n_snapshots, n_particles, n_parameters).
        iterations: (n_snapshots,), the steps after which they were taken.
        names: of the parameters; None: θ₀, θ₁ and so on.

    Raises:
        DependencyError: Matplotlib is not installed.
        ConfigError: there are too many parameters to be shown.
    """
    count = _check(trace.shape[2])
    figure = style.new_figure(7.2, 1.2 + 1.8 * count)
    for index, name in enumerate(names or _names(count)):
        axes = figure.add_subplot(count, 1, index + 1)
        _plain(axes)
        for low, high, alpha in _BANDS:
            edges = np.quantile(trace[:, :, index], [low, high], axis=1)
            axes.fill_between(iterations, *edges, color=style.BLUE, alpha=alpha, linewidth=0)
        axes.plot(iterations, np.median(trace[:, :, index], axis=1), color=style.BLUE, linewidth=2)
        axes.set_ylabel(name, fontsize=style.LABEL_SIZE, color=style.INK)
        axes.grid(axis="y", color=style.GRID, linewidth=0.8)
    axes.set_xlabel("step", fontsize=style.LABEL_SIZE, color=style.INK)
    figure.axes[0].set_title(
        "Particles on their way: median, 50 % and 95 %",
        loc="left",
        fontsize=style.TITLE_SIZE,
        color=style.INK,
        fontweight="bold",
    )
    return figure


def plot_pairs(particles: Array, names: tuple[str, ...] | None = None) -> Figure:
    """A histogram of each parameter, and each pair of parameters as points.

    Args:
        particles: (n_particles, n_parameters).
        names: of the parameters; None: θ₀, θ₁ and so on.

    Raises:
        DependencyError: Matplotlib is not installed.
        ConfigError: there are too many parameters to be shown.
    """
    count = _check(particles.shape[1])
    names = names or _names(count)
    size = max(3.2, 1.9 * count)
    figure = style.new_figure(size, size)
    for row in range(count):
        for column in range(row + 1):
            axes = figure.add_subplot(count, count, row * count + column + 1)
            _plain(axes)
            if row == column:
                axes.hist(particles[:, row], bins="auto", color=style.BLUE, alpha=0.6)
                axes.set_yticks([])
            else:
                axes.plot(
                    particles[:, column], particles[:, row], ".", color=style.BLUE, markersize=3
                )
            if row == count - 1:
                axes.set_xlabel(names[column], fontsize=style.LABEL_SIZE, color=style.INK)
            if column == 0 and row > 0:
                axes.set_ylabel(names[row], fontsize=style.LABEL_SIZE, color=style.INK)
    return figure


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(style.GREY)
    axes.tick_params(colors=style.MUTED, labelsize=style.TICK_SIZE, length=3)


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"$\\theta_{{{index}}}$" for index in range(count))


def _check(count: int) -> int:
    if not 1 <= count <= MOST_PARAMETERS:
        raise ConfigError(
            f"{count} parameters in one picture, expected 1 to {MOST_PARAMETERS}",
            code="PLOT_TOO_MANY",
            hint="choose columns: plot_pairs(posterior.particles[:, [0, 3]])",
        )
    return count
