"""Densities, distribution functions, quantiles: what is asked of a variable at times.

Names and shapes follow scipy.stats. Y is the time to absorption (discrete: the number of steps)
or, with rewards, what is collected until then. `pdf` is the density of the continuous part; an atom
at 0 (the defect) is in `cdf` alone. A distribution answers through `Ask`: which variable, how many
derivatives, by which method and how well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import answers, quantiles
from ._engine import elementary
from ._engine.chain import DENSITY, DISTRIBUTION, METHODS, SURVIVAL, Found
from .answers import Answer, Array, Logs
from .asking import DEFAULT_TOLERANCE, as_method, as_times, as_tolerance
from .errors import NumericError
from .evaluation import as_numbers

_NAMES = {DENSITY: "density", DISTRIBUTION: "distribution function", SURVIVAL: "survival function"}
# Above this, the logarithm of a probability is taken from what it lacks to 1.
_NEAR_ONE = 0.75
# Logarithms of what is 0 in double, and of what is nothing beside 1.
_NOTHING = -800.0
_NOTHING_BESIDE_ONE = -40.0


class Ask(NamedTuple):
    """What is asked of a variable."""

    rewards: Array | None = None
    target: int = -1  # absorption that counts: in one vertex, or -1: in any
    order: int = 0  # of derivatives in theta
    method: int = 0  # into METHODS
    tolerance: float = DEFAULT_TOLERANCE
    logarithm: bool = True  # whether it is the logarithm that has to be right


class DensityFunctions(ABC):
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

    # ---- what a distribution provides

    @property
    @abstractmethod
    def discrete(self) -> bool: ...

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """How many derivatives there are."""

    @property
    def _slope_shape(self) -> tuple[int, ...]:
        """How gradients are laid out."""
        return (self.n_parameters,)

    @abstractmethod
    def _found(self, function: int, times: Array, ask: Ask) -> Found:
        """At distinct, positive, finite times in ascending order."""

    @abstractmethod
    def _at_zero(self, function: int, ask: Ask) -> Array:
        """Value (P(Y = 0) for the distribution function) and derivatives."""

    @abstractmethod
    def _total(self, ask: Ask) -> float:
        """P(Y < infinity), by way of the target where there is one."""

    def _rest(self, ask: Ask) -> float:
        """P(Y = infinity): what the total lacks to 1.

        Raises:
            NumericError: too few digits of it are left.
        """
        return 1 - self._total(ask)

    @abstractmethod
    def _total_jet(self, ask: Ask) -> Array:
        """The same with its first derivatives behind."""

    @abstractmethod
    def _density_slope(self, times: Array, ask: Ask) -> Array:
        """Continuous: f'(t) / f(t) at positive, finite times."""

    @abstractmethod
    def _log_tail(self, times: Array, ask: Ask) -> Array:
        """An upper bound of log P(Y > t), cheap and good for times far beyond the mean."""

    @abstractmethod
    def _why(self, function: int, times: Array, ask: Ask) -> str:
        """What each method would have cost, for a refusal."""

    @abstractmethod
    def _scale(self, ask: Ask) -> float:
        """A time of the variable's order of magnitude, positive."""

    @abstractmethod
    def _longest(self, ask: Ask) -> float:
        """Discrete: steps of the longest path, where no path returns."""

    @abstractmethod
    def _checked_rewards(self, rewards: ArrayLike | None) -> Array | None: ...

    @abstractmethod
    def _checked_end(self, vertex: int) -> int:
        """An absorbing vertex."""

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

    # ---- in logarithms

    def _logs(self, function: int, times: Array, ask: Ask) -> Logs:
        """One of the three functions at any times."""
        asked = np.floor(times) if self.discrete else times
        if self.discrete and function == DENSITY:
            asked = np.where(times == asked, asked, -1.0)
        inside = (asked > 0) & np.isfinite(asked)
        if inside.all() and inside.size:
            return self._inside(function, asked, ask)
        logs = self._outside(function, asked, ask)
        if inside.any():
            logs.put(inside, self._inside(function, asked[inside], ask))
        return logs

    def _inside(self, function: int, times: Array, ask: Ask) -> Logs:
        """At positive, finite times."""
        different, which = distinct(times)
        logs = self._between(function, different, ask)
        if function == DISTRIBUTION:
            atom = self._jet_logs(DISTRIBUTION, ask, len(different))
            if np.isfinite(atom.log_value).any() or atom.log_jet.any():
                logs = answers.add(logs, atom)
        return logs.take(which)

    def _outside(self, function: int, times: Array, ask: Ask) -> Logs:
        """As if all times were negative, zero or infinite."""
        before = 0.0 if function == SURVIVAL else -np.inf
        logs = Logs.exact(np.full(len(times), before), self._n_derivatives(ask.order))
        zero = times == 0
        # At 0 steps, the probability is the atom; at time 0, the density is a limit.
        at_zero = DISTRIBUTION if self.discrete and function == DENSITY else function
        logs.put(zero, self._jet_logs(at_zero, ask, int(zero.sum())))
        endless = np.isposinf(times)
        if endless.any():
            value = 0.0
            if function != DENSITY:
                total = self._total(ask)
                value = total if function == DISTRIBUTION else self._rest(ask)
            logs.log_value[endless] = elementary.log(np.array(value))
        return logs

    def _n_derivatives(self, order: int) -> int:
        n = self.n_parameters
        return (n if order > 0 else 0) + (n * (n + 1) // 2 if order > 1 else 0)

    def _jet_logs(self, function: int, ask: Ask, count: int) -> Logs:
        jet = self._at_zero(function, ask)
        logs = Logs.exact(np.repeat(elementary.log(jet[:1]), count), len(jet) - 1)
        logs.log_jet[:] = jet[1:] / (jet[0] if jet[0] > 0 else 1.0)
        return logs

    def _between(self, function: int, times: Array, ask: Ask) -> Logs:
        found = self._found(function, times, ask)
        logs = Logs(found.log_value, found.bound, found.method, found.kind, found.log_jet)
        if found.refused:
            self._settle(function, times, ask, logs)
        return logs

    def _settle(self, function: int, times: Array, ask: Ask, logs: Logs) -> None:
        """Refused times: so far out that the value is its limit in double, or an error."""
        refused = ~(logs.bound <= ask.tolerance)
        far = np.zeros_like(refused)
        if ask.order == 0 and function == DISTRIBUTION:
            far[refused] = self._log_tail(times[refused], ask) < _NOTHING_BESIDE_ONE
        elif ask.order == 0 and not ask.logarithm:
            # The logarithm itself is not known so far out.
            far[refused] = self._log_tail(times[refused], ask) < _NOTHING
            far |= refused & (logs.bound < 1) & (logs.log_value < _NOTHING)
        if far.any():
            limit = -np.inf
            if function == DISTRIBUTION:
                limit = np.log(self._total(ask) - self._at_zero(function, ask)[0])
            logs.put(far, Logs.exact(np.full(int(far.sum()), limit), logs.log_jet.shape[1]))
        refused &= ~far
        if refused.any():
            first = int(np.flatnonzero(refused)[0])
            reached = logs.bound[first]
            made = METHODS[logs.method[first]]
            what = "no method answers" if np.isinf(reached) else f"{made} reaches"
            bound = "" if np.isinf(reached) else f" {reached:.2g} of {ask.tolerance:g}"
            raise NumericError(
                f"FATAL: {what}{bound} for the {_NAMES[function]} at {times[first]:g}: "
                f"{self._why(function, times, ask)}",
                code="DENSITY_REFUSED",
                hint="a larger tolerance=, another method= or earlier times may do",
            )

    def _probability(self, function: int, times: Array, ask: Ask) -> Logs:
        """The distribution or survival function, with the derivatives of its limit too."""
        logs = self._logs(function, times, ask)
        endless = np.flatnonzero(np.isposinf(times))
        if ask.order > 0 and endless.size:
            jet = self._total_jet(ask)
            if ask.order > 1 and (ask.target >= 0 or jet[1:].any()):
                raise NumericError(
                    "FATAL: a Hessian is asked for at an infinite time, where there are gradients",
                    code="NOT_DIFFERENTIABLE",
                    hint="leave hessian= out, or ask at a finite time",
                )
            value = jet[0] if function == DISTRIBUTION else 1 - jet[0]
            slope = jet[1:] if function == DISTRIBUTION else -jet[1:]
            logs.log_jet[endless, : self.n_parameters] = slope / (value if value > 0 else 1.0)
        return logs

    def _log_of(self, function: int, times: Array, ask: Ask) -> Logs:
        """The logarithm of a probability, from what it lacks to 1 where that is little."""
        logs = self._probability(function, times, ask)
        near = np.flatnonzero(logs.log_value > np.log(_NEAR_ONE))
        near = near[times[near] > 0]
        if function == DISTRIBUTION and np.isposinf(times).any():
            self._rest(ask)  # refuses a logarithm that has too few digits
        near = near[np.isfinite(times[near])]
        if near.size and (ask.target < 0 or self._total(ask) == 1.0):
            other = SURVIVAL if function == DISTRIBUTION else DISTRIBUTION
            logs.put(near, answers.complement(self._logs(other, times[near], ask)))
        return logs

    def _hazard(self, times: Array, ask: Ask) -> Logs:
        if np.isposinf(times).any():
            raise NumericError(
                "FATAL: the hazard is asked for at an infinite time",
                code="TIME_INFINITE",
                hint="its limit is approached at finite times, of some tens of means",
            )
        ask = ask._replace(logarithm=True)
        density = self._logs(DENSITY, times, ask)
        survival = self._logs(SURVIVAL, times - 1 if self.discrete else times, ask)
        over = np.flatnonzero(np.isneginf(survival.log_value))
        if over.size:
            raise NumericError(
                f"FATAL: the hazard is asked for at {times[over[0]]:g}, when all is over: nothing "
                "is left to be absorbed",
                code="HAZARD_UNDEFINED",
                hint="ask where sf is positive, discrete: sf of the step before",
            )
        logs = answers.ratio(density, survival, self.n_parameters)
        none = np.isneginf(density.log_value)
        logs.log_value[none] = -np.inf
        return logs

    def _quantile(self, probabilities: Array, ask: Ask) -> Logs:
        return quantiles.solve(self, probabilities, ask)


def distinct(times: Array) -> tuple[Array, NDArray[np.intp] | slice]:
    """Different times in ascending order, and where each of `times` stands there."""
    steps = np.diff(times)
    if (steps > 0).all():
        return times, slice(None)
    if (steps >= 0).all():  # sorted, as large data are
        new = np.concatenate([[True], steps > 0])
        return times[new], np.cumsum(new) - 1
    different, which = np.unique(times, return_inverse=True)
    return different, which


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


def explain(work: dict[str, float]) -> str:
    """The methods' costs, for a refusal."""
    parts = [
        f"{name} does not apply" if np.isinf(cost) else f"{name} costs {cost:.2g}"
        for name, cost in work.items()
    ]
    return f"{', '.join(parts)} (visits of edges; 6e10 are allowed)"
