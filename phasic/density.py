"""Densities, distribution functions, quantiles: what is asked of a variable at times.

Names and shapes follow scipy.stats. `pdf` is the density of the continuous part; an atom at 0 (the
defect) is in `cdf` alone. What the functions are is in `density_logs`; here are their arguments and
the shapes of their answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from . import answers, quantiles
from ._engine.chain import DENSITY, DISTRIBUTION, SURVIVAL
from .answers import Answer, Array, Logs
from .arguments import as_numbers
from .asking import as_method, as_times, as_tolerance
from .density_logs import Ask, DensityLogs
from .errors import NumericError


class DensityFunctions(DensityLogs):
    """The functions of time of one variable; see `Distribution`.

    All take `t` as a number or an array of any shape and give arrays of that shape. Arguments of
    all:

        rewards: (n_vertices,), not negative (discrete: whole numbers): the variable is what is
            collected until absorption; None: the time itself. With (r, n_vertices), one variable a
            row, results have r in front: the marginals of a multivariate model.
        method: "auto", "uniformise", "contour", "dense".
        tolerance: relative error that is accepted; None: 1e-9.
        gradient, hessian: whether derivatives in theta are given too: (value, gradient) or (value,
            gradient, hessian), with (n_parameters,) and (n_parameters, n_parameters) behind. Under
            epochs gradients have (n_epochs, n_parameters of the graph) behind. A logarithm of 0 has
            derivatives of 0.
        full_output: an `Answer` with value, bound, method, kind and derivatives.

    Raises:
        NumericError: times are NaN; rewards do not fit; the kind of graph is the wrong one; or no
            method reaches the tolerance (code DENSITY_REFUSED): nothing less is given in silence.
    """

    # ---- functions of a continuous variable

    def pdf(self, t: ArrayLike, **options: Any) -> Any:
        """The density at t, by unit of time; at 0 its limit from above, before 0 it is 0.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.pdf([0.0, 0.5]).round(12).tolist()
            [2.0, 0.735758882343]
        """
        self._continuous("pdf", "pmf")
        return self._values(t, lambda time, ask: self._logs(DENSITY, time, ask), False, options)

    def logpdf(self, t: ArrayLike, **options: Any) -> Any:
        """The logarithm of the density, -inf where that is 0.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> float(x.logpdf(1000.0).round(9))
            -1999.306852819
        """
        self._continuous("logpdf", "logpmf")
        return self._values(t, lambda time, ask: self._logs(DENSITY, time, ask), True, options)

    def hazard(self, t: ArrayLike, **options: Any) -> Any:
        """The density divided by the survival function; discrete: P(Y = k | Y >= k).

        By unit of time, and no probability. Where P(Y > t) = 0 (discrete: P(Y >= k) = 0) there is
        none, which is an error (HAZARD_UNDEFINED), as are infinite times.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.hazard([0.0, 0.5, 100.0]).round(9).tolist()
            [2.0, 2.0, 2.0]
        """
        return self._values(t, self._hazard, False, options)

    # ---- functions of a discrete variable

    def pmf(self, k: ArrayLike, **options: Any) -> Any:
        """P(Y = k); 0 where k is no whole number.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[0.75]], discrete=True).at()
            >>> x.pmf([0, 1, 1.5, 2]).tolist()
            [0.0, 0.25, 0.0, 0.1875]
        """
        self._only_discrete("pmf", "pdf")
        return self._values(k, lambda time, ask: self._logs(DENSITY, time, ask), False, options)

    def logpmf(self, k: ArrayLike, **options: Any) -> Any:
        """The logarithm of P(Y = k), -inf where that is 0.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[0.75]], discrete=True).at()
            >>> float(x.logpmf(10_000).round(6))
            -2877.919337
        """
        self._only_discrete("logpmf", "logpdf")
        return self._values(k, lambda time, ask: self._logs(DENSITY, time, ask), True, options)

    # ---- functions of both

    def cdf(self, t: ArrayLike, **options: Any) -> Any:
        """P(Y <= t), in which the atom at 0 is; 0 before 0.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.cdf([0.0, 0.5, float("inf")]).round(12).tolist()
            [0.0, 0.632120558829, 1.0]
        """
        return self._values(
            t, lambda time, ask: self._probability(DISTRIBUTION, time, ask), False, options
        )

    def logcdf(self, t: ArrayLike, **options: Any) -> Any:
        """The logarithm of P(Y <= t), right also where that is close to 1.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> f"{x.logcdf(20.0):.9e}"
            '-4.248354255e-18'
        """
        return self._values(
            t, lambda time, ask: self._log_of(DISTRIBUTION, time, ask), True, options
        )

    def sf(self, t: ArrayLike, **options: Any) -> Any:
        """P(Y > t), with all its digits in the tail; 1 before 0.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> [f"{p:.9e}" for p in x.sf([0.5, 300.0])]
            ['3.678794412e-01', '2.650396553e-261']
        """
        return self._values(
            t, lambda time, ask: self._probability(SURVIVAL, time, ask), False, options
        )

    def logsf(self, t: ArrayLike, **options: Any) -> Any:
        """The logarithm of P(Y > t), right also where that is close to 1.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> [f"{p:.9g}" for p in x.logsf([1e-20, 1e4])]
            ['-2e-20', '-20000']
        """
        return self._values(t, lambda time, ask: self._log_of(SURVIVAL, time, ask), True, options)

    def sub_cdf(self, t: ArrayLike, vertex: int, **options: Any) -> Any:
        """P(Y <= t, absorbed in `vertex`); at infinity the probability of ending there.

        Args:
            t: as for `cdf`.
            vertex: the number of an absorbing vertex, a row of `graph.states()`.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> float(x.sub_cdf(0.5, 2).round(12))
            0.632120558829
        """
        end = self._checked_end(vertex)
        return self._values(
            t,
            lambda time, ask: self._probability(DISTRIBUTION, time, ask._replace(target=end)),
            False,
            options,
        )

    def quantile(self, p: ArrayLike, **options: Any) -> Any:
        """The smallest t with P(Y <= t) >= p; `ppf` of scipy.stats.

        0 up to the atom at 0, inf where Y never is so likely to be finite. Bounds are relative.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.quantile([0.0, 0.5, 1.0]).round(12).tolist()
            [0.0, 0.34657359028, inf]
        """
        return self._values(
            p, self._quantile, False, options, quantiles.check_probabilities, whole=self.discrete
        )

    def ppf(self, p: ArrayLike, **options: Any) -> Any:
        """The same as `quantile`."""
        return self.quantile(p, **options)

    def median(self, **options: Any) -> Any:
        """The quantile at 1/2.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> float(x.median().round(12))
            0.34657359028
        """
        return self.quantile(0.5, **options)

    # ---- from arguments to answers

    def _values(
        self,
        t: ArrayLike,
        function: Callable[[Array, Ask], Logs],
        logarithm: bool,
        options: dict[str, Any],
        check: Callable[[Array], None] | None = None,
        whole: bool = False,
    ) -> Any:
        wanted = _Options(**_known(options, _Options))
        times = as_times(t) if check is None else as_numbers(t, "probabilities")
        flat = times.reshape(-1)
        if check is not None:
            check(flat)
        order = 2 if wanted.hessian else 1 if wanted.gradient else 0
        method, tolerance = as_method(wanted.method), as_tolerance(wanted.tolerance)
        ask = Ask(None, -1, order, method, tolerance, logarithm)
        shape = times.shape

        def one(rewards: Array | None) -> Answer:
            logs = function(flat, ask._replace(rewards=rewards))
            finish = answers.as_logarithm if logarithm else answers.as_value
            answer = finish(logs, order, self.n_parameters)
            if whole:
                # A whole number has gone through its logarithm.
                answer = answer._replace(value=np.round(answer.value))
            if order > 0:
                slope = answer.gradient.reshape(len(flat), *self._slope_shape)
                answer = answer._replace(gradient=slope)
            return answers.shaped(answer, shape)

        rewards = self._checked_rewards(wanted.rewards)
        if rewards is not None and rewards.ndim == 2:
            rows = [one(np.ascontiguousarray(row)) for row in rewards]
            answer = Answer(
                *(None if part[0] is None else np.array(part) for part in zip(*rows, strict=True))
            )
        else:
            answer = one(rewards)
        if wanted.full_output:
            return answers.named(answer)
        if wanted.hessian:
            return answer.value, answer.gradient, answer.hessian
        return (answer.value, answer.gradient) if wanted.gradient else answer.value

    def _continuous(self, name: str, other: str) -> None:
        if self.discrete:
            raise NumericError(
                f"FATAL: {name} is a density in continuous time, and the graph is discrete",
                code="NOT_CONTINUOUS",
                hint=f"ask for {other}",
            )

    def _only_discrete(self, name: str, other: str) -> None:
        if not self.discrete:
            raise NumericError(
                f"FATAL: {name} is the probability of a number of steps, and time is continuous",
                code="NOT_DISCRETE",
                hint=f"ask for {other}, or build the graph with discrete=True",
            )

    def _quantile(self, probabilities: Array, ask: Ask) -> Logs:
        return quantiles.solve(self, probabilities, ask)


class _Options(NamedTuple):
    rewards: ArrayLike | None = None
    method: str = "auto"
    tolerance: float | None = None
    gradient: bool = False
    hessian: bool = False
    full_output: bool = False


def _known(options: dict[str, Any], known: type[NamedTuple]) -> dict[str, Any]:
    unknown = set(options) - set(known._fields)
    if unknown:
        raise TypeError(
            f"unexpected argument {min(unknown)!r}; expected {', '.join(known._fields)}"
        )
    return options


class _HowOptions(NamedTuple):
    rewards: ArrayLike | None = None
    method: str = "auto"
    tolerance: float | None = None


def as_ask(variable: DensityFunctions, order: int, **options: Any) -> Ask:
    """An `Ask` of one variable from the arguments rewards, method, tolerance."""
    wanted = _HowOptions(**_known(options, _HowOptions))
    rewards = variable._checked_rewards(wanted.rewards)
    if rewards is not None and rewards.ndim == 2:
        raise NumericError(
            f"FATAL: rewards have shape {rewards.shape}; expected one reward a vertex",
            code="REWARD_LENGTH",
            hint="ask for each row of a reward matrix by itself",
        )
    return Ask(rewards, -1, order, as_method(wanted.method), as_tolerance(wanted.tolerance))
