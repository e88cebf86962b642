"""A graph's own theta, and all that a distribution answers, asked of the graph itself.

Who evaluates at many thetas takes `graph.at(theta)`; who sets one theta and asks on has it here.
"""

from __future__ import annotations

import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import check_theta
from .distribution import Distribution
from .errors import NumericError
from .state_space.frozen import FrozenGraph
from .trace_elimination import EliminationTrace


def _at_own_theta(method: Callable[..., Any]) -> Any:
    """A method of `Distribution` as one of the graph: at its own theta."""

    @functools.wraps(method)
    def call(graph: OwnTheta, *arguments: Any, **options: Any) -> Any:
        return method(graph._own_distribution(), *arguments, **options)

    return call


class OwnTheta(ABC):
    """Theta of one graph, and the functions of its distribution there; see `Distribution`."""

    _parameterized: bool | None

    def _set_up_theta(self) -> None:
        self._theta_lock = threading.RLock()
        self._theta: NDArray[np.float64] | None = None
        self._distribution: Distribution | None = None

    @property
    @abstractmethod
    def frozen(self) -> FrozenGraph: ...

    @abstractmethod
    def _obtain_trace(self) -> EliminationTrace: ...

    def update_parameterized_weights(self, theta: ArrayLike) -> None:
        """Sets the graph's own theta (n_parameters,), at which `moments` and the like are.

        Raises:
            NumericError: theta does not fit, or the graph is built with parameterized=False.
            GraphError, TraceError: the model is not valid, has no end, or is too large.
        """
        if self._parameterized is False:
            raise NumericError(
                "FATAL: theta cannot be set: the graph has constant weights (parameterized=False)",
                code="NOT_PARAMETERIZED",
                hint="build it with parameterized=True and (next_state, base, [c1, …]) "
                "transitions, or leave theta out: its moments are there already",
            )
        array = check_theta(theta, self.frozen.n_parameters)
        with self._theta_lock:
            self._theta = array
            self._distribution = None

    @property
    def theta(self) -> NDArray[np.float64]:
        """The graph's own theta, read-only.

        Raises:
            NumericError: it is not set yet, and the graph has parameters.
        """
        if self._theta is not None:
            return self._theta
        if self.frozen.n_parameters == 0:
            return check_theta((), 0)
        n_parameters = self.frozen.n_parameters
        raise NumericError(
            f"FATAL: trace cannot be evaluated: theta is not set, and the graph has "
            f"{n_parameters} parameter{'s' if n_parameters > 1 else ''} "
            f"({self.frozen.n_vertices} vertices, state length {self.frozen.states.shape[1]})",
            code="THETA_NOT_SET",
            hint=f"call graph.update_parameterized_weights(theta) with {n_parameters} value"
            f"{'s' if n_parameters > 1 else ''} first, or graph.at(theta)",
        )

    def _own_distribution(self) -> Distribution:
        with self._theta_lock:
            if self._distribution is None:
                self._distribution = Distribution(self._obtain_trace(), self.theta)
            return self._distribution

    # ---- the distribution at the graph's own theta; see `Distribution`

    moments = _at_own_theta(Distribution.moments)
    factorial_moments = _at_own_theta(Distribution.factorial_moments)
    mean = _at_own_theta(Distribution.mean)
    expectation = _at_own_theta(Distribution.expectation)
    variance = _at_own_theta(Distribution.variance)
    std = _at_own_theta(Distribution.std)
    covariance = _at_own_theta(Distribution.covariance)
    covariance_matrix = _at_own_theta(Distribution.covariance_matrix)
    mean_vector = _at_own_theta(Distribution.mean_vector)
    expected_sojourn_time = _at_own_theta(Distribution.expected_sojourn_time)
    expected_waiting_time = _at_own_theta(Distribution.expected_waiting_time)
    absorption_probabilities = _at_own_theta(Distribution.absorption_probabilities)
    defect = _at_own_theta(Distribution.defect)
    central_moments = _at_own_theta(Distribution.central_moments)
    skewness = _at_own_theta(Distribution.skewness)
    kurtosis = _at_own_theta(Distribution.kurtosis)
    joint_moment = _at_own_theta(Distribution.joint_moment)
    correlation_matrix = _at_own_theta(Distribution.correlation_matrix)
    laplace = _at_own_theta(Distribution.laplace)
    joint_laplace = _at_own_theta(Distribution.joint_laplace)
    pgf = _at_own_theta(Distribution.pgf)
    joint_pgf = _at_own_theta(Distribution.joint_pgf)
    pdf = _at_own_theta(Distribution.pdf)
    logpdf = _at_own_theta(Distribution.logpdf)
    pmf = _at_own_theta(Distribution.pmf)
    logpmf = _at_own_theta(Distribution.logpmf)
    cdf = _at_own_theta(Distribution.cdf)
    logcdf = _at_own_theta(Distribution.logcdf)
    sf = _at_own_theta(Distribution.sf)
    logsf = _at_own_theta(Distribution.logsf)
    hazard = _at_own_theta(Distribution.hazard)
    sub_cdf = _at_own_theta(Distribution.sub_cdf)
    quantile = _at_own_theta(Distribution.quantile)
    ppf = _at_own_theta(Distribution.ppf)
    median = _at_own_theta(Distribution.median)
    loglik = _at_own_theta(Distribution.loglik)
    state_probability = _at_own_theta(Distribution.state_probability)
    stop_probability = _at_own_theta(Distribution.stop_probability)
    accumulated_visiting_time = _at_own_theta(Distribution.accumulated_visiting_time)

    sample = _at_own_theta(Distribution.sample)
    sample_multivariate = _at_own_theta(Distribution.sample_multivariate)
    sample_final = _at_own_theta(Distribution.sample_final)
    sample_paths = _at_own_theta(Distribution.sample_paths)
