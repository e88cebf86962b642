"""The result of a fit by particles: moments, intervals, diagnostics, pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import notebook
from .arguments import check_level

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Values = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Posterior:
    """Particles of equal weight that stand for a posterior distribution.

    Attributes:
        particles: (n_particles, theta_dim).
        trace: (n_snapshots, n_particles, theta_dim), on their way there.
        trace_iterations: (n_snapshots,), after how many steps.
        stein_discrepancy, effective_sample_size: see `diagnostics.py`.
        movement: root mean square of the last direction, 1 being a posterior standard deviation.
        iterations: steps made.
        rests: whether they ended because the movement fell below the tolerance.
        fixed: indices of entries of theta that were held.
    """

    particles: Values
    trace: Values
    trace_iterations: NDArray[np.int64]
    stein_discrepancy: float
    effective_sample_size: float
    movement: float
    iterations: int
    rests: bool
    fixed: tuple[int, ...] = ()

    def __repr__(self) -> str:
        mean, sd = (part.round(6).tolist() for part in (self.mean, self.sd))
        return f"<Posterior of {len(self.particles)} particles: mean {mean}, sd {sd}>"

    def _repr_html_(self) -> str:
        columns = ("parameter", "mean", "sd", "2.5 %", "97.5 %")
        table = np.column_stack([self.mean, self.sd, self.interval()])
        rows = [
            (str(index), *row) for index, row in enumerate(table[: notebook.MOST_ROWS].tolist())
        ]
        note = (
            f"{len(self.particles):,} particles, {len(table):,} parameters; "
            f"{self.iterations:,} steps, {'at rest' if self.rests else 'not at rest'}; "
            f"effective sample size {self.effective_sample_size:.4g}"
        )
        return notebook.shown("Posterior", rows, columns=columns, note=note)

    @property
    def mean(self) -> Values:
        """(theta_dim,)."""
        return self.particles.mean(axis=0)

    @property
    def sd(self) -> Values:
        """(theta_dim,), of the particles as a distribution: the sum is divided by their number."""
        return self.particles.std(axis=0)

    @property
    def covariance(self) -> Values:
        """(theta_dim, theta_dim), in the same way."""
        centred = self.particles - self.mean
        return centred.T @ centred / len(centred)

    def quantile(self, p: ArrayLike) -> Values:
        """(len(p), theta_dim), or (theta_dim,) of one p."""
        return np.quantile(self.particles, np.asarray(p, dtype=float), axis=0)

    def interval(self, level: float = 0.95) -> Values:
        """(theta_dim, 2): between the quantiles that leave as much on either side.

        Raises:
            ConfigError: the level is not between 0 and 1.
        """
        level = check_level(level)
        return self.quantile([(1 - level) / 2, (1 + level) / 2]).T

    def plot_trace(self) -> Figure:
        """The particles on their way, a panel a parameter; needs Matplotlib."""
        from ..plots.particles import plot_trace

        return plot_trace(self.trace, self.trace_iterations)

    def plot_pairs(self) -> Figure:
        """Each parameter against each other; needs Matplotlib."""
        from ..plots.particles import plot_pairs

        return plot_pairs(self.particles)

    def to_arviz(self) -> Any:
        """The particles as ArviZ's inference data: one chain, variable `theta`.

        Raises:
            DependencyError: ArviZ is not installed.
        """
        from .export import to_arviz

        return to_arviz(self.particles)
