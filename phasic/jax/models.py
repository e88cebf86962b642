"""A trace's density family and moments as functions of theta for JAX programs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from .._engine.chain import DENSITY, DISTRIBUTION, SURVIVAL
from .._engine.xla import Registration
from ..asking import as_method, as_tolerance
from ..errors import NumericError, warn
from ..trace_elimination import EliminationTrace
from .primitive import Array, evaluate
from .questions import Density, Moments, Question, Trace
from .targets import register


class Model:
    """What all models of a trace share.

    Attributes:
        elimination_trace: the trace; not `trace`, a method that JAX gives to compiled functions
            and calls where it finds one.
        n_parameters: length of theta.
        discrete: whether times are numbers of steps.
    """

    def __init__(self, trace: EliminationTrace) -> None:
        self.elimination_trace = trace
        self.n_parameters = trace.n_parameters
        self.discrete = trace.discrete
        register()
        self._name = Trace(Registration(trace.handle), trace.n_parameters, trace.discrete)
        _say_precision()

    def _theta(self, theta: ArrayLike) -> Array:
        array = _real(theta)
        if array.shape != (self.n_parameters,):
            raise NumericError(
                f"FATAL: theta has shape {array.shape}; the model has {self.n_parameters} "
                f"parameters, so expected ({self.n_parameters},)",
                code="THETA_LENGTH",
                hint="many thetas are jax.vmap over a leading axis",
            )
        return array

    def _rewards(self, rewards: ArrayLike | None, dtype: Any) -> Array:
        """(n_vertices,) or (0,), or with features behind (n_vertices, n_features)."""
        if rewards is None:
            return jnp.zeros(0, dtype)
        array = _real(rewards)
        n_vertices = self.elimination_trace.n_vertices
        if array.ndim not in (1, 2) or array.shape[0] != n_vertices:
            raise NumericError(
                f"FATAL: rewards have shape {array.shape}; expected ({n_vertices},) or "
                f"({n_vertices}, n_features): a row a vertex, in the order of states()",
                code="REWARD_LENGTH",
                hint="rewards have an entry for every vertex, the start (row 0) included",
            )
        return array


class DensityModel(Model):
    """The density (discrete: probabilities) of the time to absorption, or of what is collected.

    Calling it gives the density; `logpdf`, `cdf`, `logcdf`, `sf`, `logsf` are the others of the
    family. All take

        theta: (n_parameters,).
        times: any shape; with several features (…, n_features).
        rewards: None: the time itself; (n_vertices,): what is collected of it; (n_vertices,
            n_features): several variables, each with its marginal.

    and return the shape of `times`. They may be used under every transformation of JAX;
    derivatives in theta go up to the second. Those in times are exact where the model has them,
    but for that of a density near time 0, which is off by about 1e-16 / t of it, and NaN at 0.
    Values are those of `Distribution.pdf` and the like, to the last bit in 64-bit mode.

    Raises:
        NumericError: theta, times or rewards have the wrong shape. What only shows in the numbers
            (NaN, negative weights, a tolerance that is not met) is an error of JAX's runtime, with
            the lane and theta.

    Example:
        >>> import jax
        >>> jax.config.update("jax_enable_x64", True)
        >>> from phasic.models.coalescent import kingman
        >>> model = kingman(2).pmf_from_graph()
        >>> float(jax.jit(model)([2.0], 0.0)), float(jax.grad(model)([2.0], 0.0)[0])
        (2.0, 1.0)
    """

    def __init__(
        self, trace: EliminationTrace, method: str = "auto", tolerance: float | None = None
    ) -> None:
        super().__init__(trace)
        self._method, self._tolerance = as_method(method), as_tolerance(tolerance)
        self._no_slope = _no_slope(trace)

    def __call__(
        self, theta: ArrayLike, times: ArrayLike, rewards: ArrayLike | None = None
    ) -> Array:
        return self._evaluate(DENSITY, False, theta, times, rewards)

    def logpdf(self, theta: ArrayLike, times: ArrayLike, rewards: ArrayLike | None = None) -> Array:
        """The logarithm of the density, -inf where that is 0 (gradient 0)."""
        return self._evaluate(DENSITY, True, theta, times, rewards)

    def cdf(self, theta: ArrayLike, times: ArrayLike, rewards: ArrayLike | None = None) -> Array:
        """P(Y <= t)."""
        return self._evaluate(DISTRIBUTION, False, theta, times, rewards)

    def logcdf(self, theta: ArrayLike, times: ArrayLike, rewards: ArrayLike | None = None) -> Array:
        """The logarithm of P(Y <= t)."""
        return self._evaluate(DISTRIBUTION, True, theta, times, rewards)

    def sf(self, theta: ArrayLike, times: ArrayLike, rewards: ArrayLike | None = None) -> Array:
        """P(Y > t)."""
        return self._evaluate(SURVIVAL, False, theta, times, rewards)

    def logsf(self, theta: ArrayLike, times: ArrayLike, rewards: ArrayLike | None = None) -> Array:
        """The logarithm of P(Y > t)."""
        return self._evaluate(SURVIVAL, True, theta, times, rewards)

    def _evaluate(
        self,
        function: int,
        logarithm: bool,
        theta: ArrayLike,
        times: ArrayLike,
        rewards: ArrayLike | None,
    ) -> Array:
        row, at = self._theta(theta), _real(times)
        collected = self._rewards(rewards, row.dtype)
        question = Density(
            self._name, function, logarithm, self._method, self._tolerance, self._no_slope
        )
        if collected.ndim == 1:
            return _values(question, row, at.reshape(-1), collected).reshape(at.shape)
        if at.ndim == 0 or at.shape[-1] != collected.shape[1] or at.shape[-1] == 0:
            raise NumericError(
                f"FATAL: times have shape {at.shape} and rewards {collected.shape}; expected times "
                f"(…, {max(collected.shape[1], 1)}): one column a feature, of one feature or more",
                code="TIMES_SHAPE",
                hint="the same times for all features are times[:, None].repeat(n_features, 1)",
            )
        columns = at.reshape(-1, at.shape[-1])
        by_feature = jax.vmap(_values, in_axes=(None, None, 1, 1), out_axes=1)
        return by_feature(question, row, columns, collected).reshape(at.shape)


class MomentsModel(Model):
    """E[Y], .., E[Y^nr_moments] as a function of theta (n_parameters,): (nr_moments,).

    With rewards (n_vertices, n_features): (n_features, nr_moments).
    """

    def __init__(self, trace: EliminationTrace, nr_moments: int = 2) -> None:
        super().__init__(trace)
        if isinstance(nr_moments, bool) or not isinstance(nr_moments, int) or nr_moments < 1:
            raise NumericError(
                f"FATAL: nr_moments is {nr_moments!r}, not a whole number of at least 1",
                code="ORDER",
                hint="2 gives E[Y] and E[Y^2]",
            )
        self.nr_moments = nr_moments

    def __call__(self, theta: ArrayLike, rewards: ArrayLike | None = None) -> Array:
        row = self._theta(theta)
        collected = self._rewards(rewards, row.dtype)
        question = Moments(self._name, self.nr_moments)
        if collected.ndim == 1:
            return _values(question, row, collected)
        return jax.vmap(_values, in_axes=(None, None, 1))(question, row, collected)


class JointModel:
    """Density and moments in one: `model(theta, times, rewards)` gives both.

    Attributes:
        density: the `DensityModel`.
        moments: the `MomentsModel`.
    """

    def __init__(self, density: DensityModel, moments: MomentsModel) -> None:
        self.density = density
        self.moments = moments
        self.n_parameters = density.n_parameters
        self.discrete = density.discrete

    def __call__(
        self, theta: ArrayLike, times: ArrayLike, rewards: ArrayLike | None = None
    ) -> tuple[Array, Array]:
        return self.density(theta, times, rewards), self.moments(theta, rewards)

    def logpdf(self, theta: ArrayLike, times: ArrayLike, rewards: ArrayLike | None = None) -> Array:
        """As `DensityModel.logpdf`."""
        return self.density.logpdf(theta, times, rewards)


def _values(question: Question, *operands: Array) -> Array:
    return evaluate(question, 0, *operands)[0]


def _real(numbers: ArrayLike) -> Array:
    """As numbers of a type that the engine reads, single or double."""
    array = jnp.asarray(numbers)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        raise NumericError(
            "FATAL: theta, times or rewards are complex",
            code="NUMBERS_COMPLEX",
            hint="a model is a function of real numbers: give jnp.real(...) of them",
        )
    if jnp.issubdtype(array.dtype, jnp.floating):
        return array if array.dtype.itemsize >= 4 else array.astype(jnp.float32)
    return array.astype(float)


def _no_slope(trace: EliminationTrace) -> str:
    """Why the density of a continuous variable has no derivative in times here, or ""."""
    array = trace.handle.array
    constant = array("form_base") != 0
    linear = np.diff(array("form_start").astype(np.int64)) > 0
    starts = array("edge_start")
    form = array("edge_form")
    begin, later = form[int(starts[-2]) :], form[: int(starts[-2])]
    if constant[later].any() or (constant[begin].any() and linear[begin].any()):
        return (
            "the derivative of a density in times is computed where all rates are multiples of "
            "theta, and this model has constants among them"
        )
    return ""


def _say_precision() -> None:
    if jnp.zeros(()).dtype != jnp.float64:
        warn(
            "JAX_X64",
            "JAX is in 32-bit mode: results are computed in double and rounded to 7 digits; "
            'jax.config.update("jax_enable_x64", True) at the start of the program keeps all',
            once=True,
        )
