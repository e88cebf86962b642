"""The way of a process through epochs: where it is when theta changes, and what has been absorbed.

Each epoch is a chain of its own that begins where the one before it ended. What was absorbed before
is added up apart, so that nothing is ever subtracted.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._engine.chain import DENSITY, DISTRIBUTION, SURVIVAL, Chain, Found
from .evaluation import Array, Evaluator
from .occupation import Occupation

# The logarithm of a survival beside which nothing of a probability is left.
_NOTHING = -40.0


class Milestone(NamedTuple):
    """The beginning of an epoch.

    Attributes:
        moving: (n_vertices,), probability of each vertex that is not absorbing.
        absorbed: (n_vertices,), absorbed in each vertex since time 0 (and not at time 0).
        spent: (n_vertices,), expected time in each vertex until then.
        bound: relative error of these.
    """

    moving: Array
    absorbed: Array
    spent: Array
    bound: float


class EpochPath:
    """The epochs of one distribution, worked out as far as they are asked for."""

    def __init__(self, evaluator: Evaluator, times: Array, thetas: Array) -> None:
        self._evaluator = evaluator
        self._times = times
        self._thetas = thetas
        self._lock = threading.RLock()
        start = Occupation(evaluator, thetas[0]).start()[:, 0]
        ends = evaluator.trace.array("position_vertex")[: evaluator.trace.meta["n_absorbing"]]
        self.atom = np.zeros_like(start)
        self.atom[ends] = start[ends]
        none = np.zeros_like(start)
        self._milestones = [Milestone(start - self.atom, none, none, 0.0)]
        self._chains: dict[tuple[int, int], Chain | None] = {}

    def epoch_of(self, times: Array) -> NDArray[np.intp]:
        """The epoch in which each time lies; a change belongs to the epoch that it ends."""
        return np.asarray(np.searchsorted(self._times, times, side="left") - 1)

    def chain(self, epoch: int, target: int = -1) -> Chain | None:
        """The chain of an epoch; None where nothing moves any more."""
        with self._lock:
            if (epoch, target) not in self._chains:
                moving = self.milestone(epoch).moving
                self._chains[epoch, target] = (
                    self._evaluator.chain(
                        self._thetas[epoch],
                        start=moving,
                        target=target,
                        unending=epoch + 1 < len(self._times),
                    )
                    if moving.any()
                    else None
                )
            return self._chains[epoch, target]

    def milestone(self, epoch: int) -> Milestone:
        with self._lock:
            while len(self._milestones) <= epoch:
                last = len(self._milestones) - 1
                self._milestones.append(self._after(last, self._times[last + 1]))
            return self._milestones[epoch]

    def at(self, time: float) -> Milestone:
        """As at the beginning of an epoch that begins at `time`."""
        if time == 0:
            return self._milestones[0]
        return self._after(int(self.epoch_of(np.array(time))), time)

    def _after(self, epoch: int, time: float) -> Milestone:
        begin = self.milestone(epoch)
        chain = self.chain(epoch)
        length = time - self._times[epoch]
        if chain is None or length == 0:
            return begin
        probability, spent, bound = chain.occupation(length)
        absorbed = Occupation(self._evaluator, self._thetas[epoch]).ended(spent)
        return Milestone(
            probability[:, 0],
            begin.absorbed + absorbed[:, 0],
            begin.spent + spent[:, 0],
            begin.bound + bound,
        )

    def found(
        self, function: int, times: Array, target: int, method: int, tolerance: float
    ) -> Found:
        """What the engine answers at ascending, positive, finite times."""
        epochs = self.epoch_of(times)
        parts = []
        for epoch in np.unique(epochs):
            here = epochs == epoch
            local = times[here] - self._times[epoch]
            begin = self.milestone(int(epoch))
            chain = self.chain(int(epoch), target)
            part = (
                _still(len(local))
                if chain is None
                else chain.answer(function, local, method, tolerance)
            )
            before = begin.absorbed.sum() if target < 0 else begin.absorbed[target]
            log_value = part.log_value
            if function == DISTRIBUTION:
                with np.errstate(divide="ignore"):
                    log_value = np.logaddexp(log_value, np.log(before))
            parts.append(part._replace(log_value=log_value, bound=part.bound + begin.bound))
        logs, bounds, methods, kinds, jets, refused = zip(*parts, strict=True)
        return Found(
            np.concatenate(logs),
            np.concatenate(bounds),
            np.concatenate(methods),
            np.concatenate(kinds),
            np.concatenate(jets),
            any(refused),
        )

    def limit(self, target: int, scale: float, tolerance: float) -> float:
        """P(absorbed in `target`), at last: at a time beyond which nothing moves."""
        time = float(self._times[-1]) + scale
        while True:
            left = self.found(SURVIVAL, np.array([time]), -1, 0, tolerance)
            if left.log_value[0] < _NOTHING:
                break
            time = self._times[-1] + 2 * (time - self._times[-1])
        found = self.found(DISTRIBUTION, np.array([time]), target, 0, tolerance)
        return float(self.atom[target] + np.exp(found.log_value[0]))

    def density_at_zero(self) -> float:
        chain = self.chain(0)
        return 0.0 if chain is None else float(chain.at_zero(DENSITY)[0])


def _still(count: int) -> Found:
    """Nothing moves: no density, no survival, nothing more is absorbed."""
    return Found(
        np.full(count, -np.inf),
        np.zeros(count),
        np.ones(count, np.uint8),
        np.zeros(count, np.uint8),
        np.empty((count, 0)),
        False,
    )
