"""Data: times observed exactly, with multiplicities, from the right censored, or in intervals.

With rewards of several features an observation is a row with a value for each feature; features
are taken for independent given theta, each with its marginal (a composite likelihood). A feature
that was not observed is NaN and contributes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import as_numbers
from ..errors import ConfigError, NumericError

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Observations:
    """One data set.

    Attributes:
        times: (n,), or (n, n_features) with rewards of so many features.
        weights: (n,), how often each was observed; None: once.
        right_censored: (m,) times at which what was observed had not ended.
        intervals: (k, 2), rows (a, b] in which it ended.
        rewards: (n_vertices,) or (n_vertices, n_features), what was observed in place of time.

    Raises:
        NumericError: shapes do not go together, or a time is negative.

    Example:
        >>> from phasic.inference import Observations
        >>> Observations([0.5, 1.5], weights=[3, 1]).count
        4.0
    """

    times: Values
    weights: Values | None = None
    right_censored: Values | None = None
    intervals: Values | None = None
    rewards: Values | None = None
    name: str = field(default="the data", compare=False)

    def __init__(
        self,
        times: ArrayLike,
        weights: ArrayLike | None = None,
        *,
        right_censored: ArrayLike | None = None,
        intervals: ArrayLike | None = None,
        rewards: ArrayLike | None = None,
        name: str = "the data",
    ) -> None:
        object.__setattr__(self, "times", as_numbers(times, "times").copy())
        given = {
            "weights": weights,
            "right_censored": right_censored,
            "intervals": intervals,
            "rewards": rewards,
        }
        for key, value in given.items():
            object.__setattr__(self, key, None if value is None else as_numbers(value, key).copy())
        for array in (self.times, *(getattr(self, key) for key in given)):
            if array is not None:
                array.flags.writeable = False
        object.__setattr__(self, "name", name)
        self._check()

    @property
    def multivariate(self) -> bool:
        return self.times.ndim == 2

    @property
    def count(self) -> float:
        """Observations, with their multiplicities."""
        total = float(len(self.times) if self.weights is None else self.weights.sum())
        others = (self.right_censored, self.intervals)
        return total + sum(len(part) for part in others if part is not None)

    @property
    def all_censored(self) -> bool:
        """Whether of no observation an end is known."""
        ended = np.isfinite(self.times)
        if self.weights is not None:
            ended = ended & (self.weights > 0)
        bounded = self.intervals is not None and np.isfinite(self.intervals[:, 1]).any()
        return not ended.any() and not bounded

    @property
    def typical(self) -> float:
        """The median of what was observed above 0, 1 if there is nothing."""
        parts = (self.times, self.right_censored, self.intervals)
        times = np.concatenate([part.reshape(-1) for part in parts if part is not None])
        times = times[times > 0]
        return float(np.median(times)) if len(times) else 1.0

    def fingerprint(self) -> str:
        """A hash of all numbers."""
        digest = hashlib.sha256()
        parts = (self.times, self.weights, self.right_censored, self.intervals, self.rewards)
        for part in parts:
            digest.update(b"-" if part is None else repr(part.shape).encode() + part.tobytes())
        return digest.hexdigest()

    def _check(self) -> None:
        if self.times.ndim not in (1, 2):
            raise self._wrong(
                f"times of shape {self.times.shape}; expected (n,) or (n, n_features)",
                "DATA_SHAPE",
                "one observation an entry, or a row",
            )
        if self.multivariate:
            self._check_features()
        n = len(self.times)
        if self.weights is not None and (
            self.weights.shape != (n,)
            or not (np.isfinite(self.weights) & (self.weights >= 0)).all()
        ):
            raise self._wrong(
                f"weights of shape {self.weights.shape} for {n} observations, or one that is "
                "negative or not finite",
                "WEIGHTS_INVALID",
                "weights say how often each observation was made",
            )
        if self.intervals is not None and (
            self.intervals.ndim != 2
            or self.intervals.shape[1] != 2
            or not (self.intervals[:, 0] < self.intervals[:, 1]).all()
        ):
            raise self._wrong(
                "intervals that are no rows (a, b) with a < b",
                "INTERVALS_INVALID",
                "what is known to be later than a is right_censored",
            )
        if not self.count > 0 or (self.multivariate and np.isnan(self.times).all()):
            raise self._wrong("no observations", "DATA_EMPTY", "one observation at least")
        self._check_times("times", self.times, missing_allowed=self.multivariate)
        self._check_times("right_censored", self.right_censored)
        self._check_times("intervals", self.intervals)

    def _check_features(self) -> None:
        features = self.times.shape[1]
        shape = None if self.rewards is None else self.rewards.shape
        if shape is None or len(shape) != 2 or shape[1] != features:
            raise self._wrong(
                f"{features} features, and rewards of shape {shape}; expected (n_vertices, "
                f"{features})",
                "REWARDS_SHAPE",
                "a column of rewards for each column of the data",
            )
        if self.right_censored is not None or self.intervals is not None:
            raise self._wrong(
                "several features, and censored observations",
                "DATA_SHAPE",
                "give the features that are known in part as data sets of their own",
            )

    def _check_times(self, what: str, values: Values | None, missing_allowed: bool = False) -> None:
        if values is None:
            return
        wrong = ~(values >= 0) & ~(np.isnan(values) & missing_allowed)
        if wrong.any():
            place = tuple(int(axis) for axis in np.argwhere(wrong)[0])
            at = place[0] if len(place) == 1 else place
            raise self._wrong(
                f"{what}[{at}] = {values[place]}; expected times of 0 or more",
                "TIME_INVALID",
                "remove it, or see where it comes from",
            )

    def _wrong(self, found: str, code: str, hint: str) -> NumericError:
        return NumericError(f"FATAL: {self.name} has {found}", code=code, hint=hint)


def as_data_sets(observed: Any, rewards: ArrayLike | None = None) -> tuple[Observations, ...]:
    """Data sets from what a user gives: one or a list of `Observations`, or one array.

    A list of numbers is one data set; a list of arrays or `Observations` is several.

    Raises:
        NumericError: the data are not valid.
        ConfigError: there are rewards, and data that have their own.
    """
    listed = observed if isinstance(observed, Sequence) else [observed]
    if rewards is not None and any(isinstance(part, Observations) for part in listed):
        raise ConfigError(
            "rewards are given, and data as Observations, which have their own",
            code="REWARDS_UNUSED",
            hint="leave rewards out, and give Observations(times, rewards=...)",
        )
    if isinstance(observed, Observations):
        return (observed,)
    if isinstance(observed, Sequence) and any(
        isinstance(part, Observations) or getattr(part, "ndim", 0) > 0 for part in observed
    ):
        return tuple(
            part
            if isinstance(part, Observations)
            else Observations(part, rewards=rewards, name=f"data set {number}")
            for number, part in enumerate(observed)
        )
    return (Observations(observed, rewards=rewards),)
