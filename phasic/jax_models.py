"""What JAX programs get from a graph. JAX itself is loaded when a model is asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from .errors import NumericError
from .trace_elimination import EliminationTrace

if TYPE_CHECKING:
    from .jax import DensityModel, JointModel, Likelihood, MomentsModel


class JaxModels(ABC):
    """Models of a graph as functions of theta; see `phasic.jax`."""

    @property
    @abstractmethod
    def discrete(self) -> bool: ...

    @abstractmethod
    def _obtain_trace(self) -> EliminationTrace: ...

    def pmf_from_graph(
        self,
        discrete: bool | None = None,
        *,
        method: str = "auto",
        tolerance: float | None = None,
    ) -> DensityModel:
        """`model(theta, times, rewards=None)`: the density, or pmf, as a JAX function.

        Args:
            discrete: what kind of graph is expected; None: whichever it is.
            method, tolerance: as for `Distribution.pdf`.

        Returns:
            A `phasic.jax.DensityModel`, which also has `logpdf`, `cdf`, `logcdf`, `sf`, `logsf`.

        Raises:
            NumericError: the graph is of the other kind.
            GraphError, TraceError: the model is not valid, has no end, or is too large.

        Example:
            >>> import jax
            >>> jax.config.update("jax_enable_x64", True)
            >>> from phasic.models.coalescent import kingman
            >>> model = kingman(2).pmf_from_graph()
            >>> float(jax.jit(model)([2.0], 0.0))
            2.0
        """
        from .jax import DensityModel

        if discrete is not None and bool(discrete) != self.discrete:
            kind = "discrete" if self.discrete else "continuous"
            raise NumericError(
                f"FATAL: the graph is {kind}, and discrete={discrete} is asked for",
                code="NOT_DISCRETE" if discrete else "NOT_CONTINUOUS",
                hint=f"build the graph with discrete={bool(discrete)}, or leave the argument out",
            )
        return DensityModel(self._obtain_trace(), method, tolerance)

    def logpdf_from_graph(
        self,
        discrete: bool | None = None,
        *,
        method: str = "auto",
        tolerance: float | None = None,
    ) -> Callable[..., Any]:
        """`logpdf(theta, times, rewards=None)`: the same, as logarithms."""
        return self.pmf_from_graph(discrete, method=method, tolerance=tolerance).logpdf

    def moments_from_graph(self, nr_moments: int = 2) -> MomentsModel:
        """`moments(theta, rewards=None)`: E[Y], .., E[Y^nr_moments] as a JAX function.

        Returns:
            A `phasic.jax.MomentsModel`; its values are (nr_moments,), with rewards (n_vertices,
            n_features) they are (n_features, nr_moments).
        """
        from .jax import MomentsModel

        return MomentsModel(self._obtain_trace(), nr_moments)

    def pmf_and_moments_from_graph(
        self,
        nr_moments: int = 2,
        discrete: bool | None = None,
        *,
        method: str = "auto",
        tolerance: float | None = None,
    ) -> JointModel:
        """`model(theta, times, rewards=None)`: density and moments, as the two models give them."""
        from .jax import JointModel

        density = self.pmf_from_graph(discrete, method=method, tolerance=tolerance)
        return JointModel(density, self.moments_from_graph(nr_moments))

    # Rewards (n_vertices, n_features) make any model multivariate.
    pmf_from_graph_multivariate = pmf_from_graph
    moments_from_graph_multivariate = moments_from_graph
    pmf_and_moments_from_graph_multivariate = pmf_and_moments_from_graph

    def loglik_from_graph(
        self,
        observed: ArrayLike,
        weights: ArrayLike | None = None,
        *,
        right_censored: ArrayLike | None = None,
        intervals: ArrayLike | None = None,
        rewards: ArrayLike | None = None,
        method: str = "auto",
        tolerance: float | None = None,
    ) -> Likelihood:
        """`loglik(theta)`: the log-likelihood of data as a JAX function, a scalar.

        Args: as for `Distribution.loglik`.

        Returns:
            A `phasic.jax.Likelihood`.
        """
        from .jax import Likelihood

        return Likelihood(
            self.pmf_from_graph(method=method, tolerance=tolerance),
            observed,
            weights,
            right_censored=right_censored,
            intervals=intervals,
            rewards=rewards,
        )
