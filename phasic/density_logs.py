"""One variable's functions of time, in logarithms: from any times to answers or refusals.

Y is the time to absorption (discrete: the number of steps) or, with rewards, what is collected
until then. A distribution answers at positive, finite times (`_found`) and says what holds at 0
and at infinity; here that is put together. `Ask` says which variable, how many derivatives, by
which method and how well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import answers
from ._engine import elementary
from ._engine.chain import DENSITY, DISTRIBUTION, METHODS, SURVIVAL, Found
from .answers import Array, Logs
from .asking import DEFAULT_TOLERANCE
from .errors import NumericError

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


class DensityLogs(ABC):
    """The logarithms of one variable's functions of time, with derivatives and bounds."""

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


def explain(work: dict[str, float]) -> str:
    """The methods' costs, for a refusal."""
    parts = [
        f"{name} does not apply" if np.isinf(cost) else f"{name} costs {cost:.2g}"
        for name, cost in work.items()
    ]
    return f"{', '.join(parts)} (visits of edges; 6e10 are allowed)"
