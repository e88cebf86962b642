"""Quantiles: the distribution function turned round.

Continuous: Newton's method for log F(t) = log p, or log S(t) = log(1 - p) where p is above a half,
in log t and inside a bracket that shrinks (so that the far tails are as easy as the body).
Discrete: the bracket alone, halved. All probabilities advance together: one question a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ._engine.chain import DENSITY, DISTRIBUTION, SURVIVAL
from .answers import Array, Logs
from .errors import NumericError

if TYPE_CHECKING:
    from .density_logs import Ask, DensityLogs

_MOST_STEPS = 200
_EPSILON = float(np.finfo(np.float64).eps)
# A step of Newton's method changes t by this factor at most, as a logarithm; the next one in the
# same direction by twice as much.
_MOST_CHANGE = 3.0


def check_probabilities(p: Array) -> None:
    """Refuses what is no probability."""
    wrong = p[~((p >= 0) & (p <= 1))]
    if wrong.size:
        raise NumericError(
            f"FATAL: a quantile is asked for at {wrong[0]}",
            code="NOT_A_PROBABILITY",
            hint="probabilities are from 0 to 1",
        )


def solve(variable: DensityLogs, p: Array, ask: Ask) -> Logs:
    """The logarithms of the quantiles at p, with derivatives of the quantile divided by it."""
    if ask.order and variable.discrete:
        raise NumericError(
            "FATAL: the quantile of a number of steps has no derivatives: it is a whole number",
            code="NOT_DIFFERENTIABLE",
            hint="leave gradient= and hessian= out",
        )
    plain = ask._replace(order=0)
    logs = Logs.exact(np.full(len(p), -np.inf), variable._n_derivatives(ask.order))
    atom = variable._at_zero(DISTRIBUTION, plain)[0]
    total = variable._total(plain)
    if variable.discrete:
        logs.log_value[p > total] = np.inf
        inner = (p > atom) & (p <= total)
        if inner.any():
            logs.put(inner, _discrete(variable, p[inner], plain))
        return logs
    logs.log_value[(p > atom) & (p >= total)] = np.inf
    inner = (p > atom) & (p < total)
    if inner.any():
        logs.put(inner, _continuous(variable, p[inner], ask))
    return logs


# ---- continuous


def _miss(
    variable: DensityLogs, times: Array, p: Array, low: NDArray[np.bool_], ask: Ask
) -> tuple[Array, Logs]:
    """By how much t is too late, as a logarithm of probability; and the function that says so."""
    below = variable._logs(DISTRIBUTION, times[low], ask)
    above = variable._logs(SURVIVAL, times[~low], ask)
    logs = Logs(*(np.concatenate([a, b]) for a, b in zip(below, above, strict=True)))
    order = np.concatenate([np.flatnonzero(low), np.flatnonzero(~low)])
    logs = logs.take(np.argsort(order))
    with np.errstate(divide="ignore"):
        miss = np.where(low, logs.log_value - np.log(p), np.log1p(-p) - logs.log_value)
    return miss, logs


def _continuous(variable: DensityLogs, p: Array, ask: Ask) -> Logs:
    plain = ask._replace(order=0)
    low = p <= 0.5
    log_t = np.full(len(p), np.log(variable._scale(plain)))
    begin, end = np.full(len(p), -np.inf), np.full(len(p), np.inf)
    most = np.full(len(p), _MOST_CHANGE)
    active = np.ones(len(p), bool)
    for _ in range(_MOST_STEPS):
        at = np.flatnonzero(active)
        if not at.size:
            break
        times = np.exp(log_t[at])
        miss, logs = _miss(variable, times, p[at], low[at], plain)
        density = variable._logs(DENSITY, times, plain)
        begin[at] = np.where(miss < 0, log_t[at], begin[at])
        end[at] = np.where(miss >= 0, log_t[at], end[at])
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            slope = np.exp(log_t[at] + density.log_value - logs.log_value)
            step = -miss / slope
        step = np.where(np.isfinite(step), step, -np.sign(miss) * _MOST_CHANGE)
        # Closer than the functions themselves are known there is nothing to find.
        done = np.abs(step) <= 2 * _EPSILON * (1 + np.abs(log_t[at]))
        done |= np.abs(miss) <= 4 * _EPSILON + logs.bound
        new = log_t[at] + np.clip(step, -most[at], most[at])
        most[at] = np.where(np.abs(step) > most[at], 2 * most[at], _MOST_CHANGE)
        bounded = np.isfinite(begin[at]) & np.isfinite(end[at])
        with np.errstate(invalid="ignore"):
            middle = (begin[at] + end[at]) / 2
        outside = bounded & ~((new > begin[at]) & (new < end[at]))
        done |= bounded & (middle == begin[at])
        log_t[at] = np.where(~outside, new, np.where(done, log_t[at], middle))
        active[at[done]] = False
    else:
        raise NumericError(
            f"FATAL: no quantile found at {p[active][0]}",
            code="QUANTILE_NOT_FOUND",
            hint="measure time in other units: scale the rates or rewards",
        )
    return _finished(variable, log_t, low, ask)


def _finished(variable: DensityLogs, log_t: Array, low: NDArray[np.bool_], ask: Ask) -> Logs:
    """Derivatives from F(q) = p: with F_p and f_p at a fixed time, q_p = -F_p / f, and
    q_pr = -(F_pr + f_p q_r + f_r q_p + f' q_p q_r) / f."""
    times = np.exp(log_t)
    _, logs = _miss(variable, times, np.full(len(times), 0.5), low, ask)
    density = variable._logs(DENSITY, times, ask._replace(order=max(ask.order - 1, 0)))
    with np.errstate(over="ignore"):
        stretch = np.exp(logs.log_value - density.log_value - log_t)  # F / (t f), or S / (t f)
    sign = np.where(low, -1.0, 1.0)
    jets = (sign * stretch)[:, np.newaxis] * logs.log_jet
    if ask.order > 1:
        n = variable.n_parameters
        rows, columns = np.triu_indices(n)
        slope, by_theta = jets[:, :n], density.log_jet
        in_time = times * variable._density_slope(times, ask)
        jets[:, n:] -= (
            by_theta[:, rows] * slope[:, columns]
            + by_theta[:, columns] * slope[:, rows]
            + in_time[:, np.newaxis] * slope[:, rows] * slope[:, columns]
        )
    bound = stretch * logs.bound + 4 * _EPSILON * (1 + np.abs(log_t))
    return Logs(log_t, bound, logs.method, logs.kind, jets)


# ---- discrete


def _reached(variable: DensityLogs, k: Array, p: Array, ask: Ask) -> NDArray[np.bool_]:
    """Whether P(Y <= k) >= p, the function's own error granted."""
    low = p <= 0.5
    below = variable._logs(DISTRIBUTION, k[low], ask)
    above = variable._logs(SURVIVAL, k[~low], ask)
    reached = np.empty(len(k), bool)
    reached[low] = np.exp(below.log_value) >= p[low] * (1 - below.bound - 2 * _EPSILON)
    most = (1 - p[~low]) * (1 + above.bound) + np.where(p[~low] < 1, _EPSILON, 0.0)
    reached[~low] = np.exp(above.log_value) <= most
    return reached


def _discrete(variable: DensityLogs, p: Array, ask: Ask) -> Logs:
    begin = np.zeros(len(p))  # not reached
    # Certainty is reached on the longest path, where no path returns, or never.
    end = np.where(p == 1, variable._longest(ask), np.ceil(variable._scale(ask)))
    endless = (p == 1) & ~_reached(variable, end, p, ask)
    while True:
        at = np.flatnonzero(~_reached(variable, end, p, ask) & ~endless)
        if not at.size:
            break
        begin[at] = end[at]
        end[at] *= 2
    while True:
        at = np.flatnonzero((end - begin > 1) & ~endless)
        if not at.size:
            break
        middle = np.floor((begin[at] + end[at]) / 2)
        reached = _reached(variable, middle, p[at], ask)
        end[at] = np.where(reached, middle, end[at])
        begin[at] = np.where(reached, begin[at], middle)
    return Logs.exact(np.log(np.where(endless, np.inf, end)), 0)
