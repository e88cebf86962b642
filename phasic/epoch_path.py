"""The way of a process through epochs: where it is when theta changes, and what has been absorbed.

Each epoch is a chain of its own that begins where the one before it ended. What was absorbed before
is added up apart, so that nothing is ever subtracted. With derivatives a number goes as a jet: its
value, and behind it its derivatives by the theta of the first epoch, of the second, … The chain of
an epoch has those by its own theta, and those by earlier ones from its start, which alone depends
on them; later ones are 0.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import answers
from ._engine.chain import DENSITY, DISTRIBUTION, SURVIVAL, Chain, Found
from .answers import Logs
from .arguments import Array
from .evaluation import Evaluator
from .occupation import Occupation

# The logarithm of a survival beside which nothing of a probability is left.
_NOTHING = -40.0


class Milestone(NamedTuple):
    """The beginning of an epoch; jets are (n_vertices, jets).

    Attributes:
        moving: probability of each vertex that is not absorbing.
        absorbed: absorbed in each vertex since time 0 (and not at time 0).
        spent: expected time in each vertex until then.
        bound: relative error of the values of these.
        kind: of that bound, into KINDS.
    """

    moving: Array
    absorbed: Array
    spent: Array
    bound: float
    kind: int


class EpochPath:
    """The epochs of one distribution, worked out as far as they are asked for.

    Args:
        gradient: whether derivatives by the thetas (n_epochs, n_parameters) go along.
    """

    def __init__(
        self, evaluator: Evaluator, times: Array, thetas: Array, gradient: bool = False
    ) -> None:
        self._evaluator = evaluator
        self._times = times
        self._thetas = thetas
        self._gradient = gradient
        self._jets = 1 + (thetas.size if gradient else 0)
        self._lock = threading.RLock()
        start = self._widened(Occupation(evaluator, thetas[0], gradient).start(), 0)
        ends = evaluator.trace.array("position_vertex")[: evaluator.trace.meta["n_absorbing"]]
        self.atom = np.zeros_like(start)
        self.atom[ends] = start[ends]
        none = np.zeros_like(start)
        self._milestones = [Milestone(start - self.atom, none, none, 0.0, 0)]
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
                        order=int(self._gradient),
                        start=np.ascontiguousarray(moving[:, 0]),
                        start_slope=self._narrowed(moving, epoch) if self._gradient else None,
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
        probability, spent, bound, kind = chain.occupation(length)
        absorbed = Occupation(self._evaluator, self._thetas[epoch], self._gradient).ended(spent)
        return Milestone(
            self._widened(probability, epoch),
            begin.absorbed + self._widened(absorbed, epoch),
            begin.spent + self._widened(spent, epoch),
            begin.bound + bound,
            max(begin.kind, kind),
        )

    # ---- jets of a chain, in which its own theta comes first, and of the path

    def _columns(self, epoch: int) -> NDArray[np.intp]:
        """Where in the path's derivatives those of an epoch's chain stand."""
        size = self._thetas.shape[1] if self._gradient else 0
        own = np.arange(epoch * size, (epoch + 1) * size)
        return np.concatenate([own, np.arange(epoch * size)])

    def _narrowed(self, jets: Array, epoch: int) -> Array:
        """The derivatives (…, jets - 1) of an epoch's chain."""
        return np.ascontiguousarray(jets[..., 1 + self._columns(epoch)])

    def _widened(self, jets: Array, epoch: int) -> Array:
        """The path's jets from those of an epoch's chain, or from its first derivatives alone."""
        wide = np.zeros((len(jets), self._jets))
        wide[:, 0] = jets[:, 0]
        wide[:, 1 + self._columns(epoch)[: jets.shape[1] - 1]] = jets[:, 1:]
        return wide

    # ---- answers

    def found(
        self, function: int, times: Array, target: int, method: int, tolerance: float
    ) -> Found:
        """What the engine answers at ascending, positive, finite times."""
        epochs = self.epoch_of(times)
        parts = []
        refused = False
        for epoch in np.unique(epochs).tolist():
            local = times[epochs == epoch] - self._times[epoch]
            begin = self.milestone(epoch)
            chain = self.chain(epoch, target)
            part = Logs.exact(np.full(len(local), -np.inf), self._jets - 1)
            if chain is not None:
                found = chain.answer(function, local, method, tolerance)
                refused |= found.refused
                part = Logs(
                    found.log_value,
                    found.bound + begin.bound,
                    found.method,
                    np.maximum(found.kind, np.uint8(begin.kind)),
                    np.zeros((len(local), self._jets - 1)),
                )
                part.log_jet[:, self._columns(epoch)] = found.log_jet
            if function == DISTRIBUTION:
                before = begin.absorbed.sum(axis=0) if target < 0 else begin.absorbed[target]
                if before.any():
                    unanswered = np.isinf(part.bound)
                    rows = np.tile(before, (len(local), 1))
                    part = answers.add(part, Logs.of_jets(rows, begin.bound, begin.kind))
                    part.bound[unanswered] = np.inf
            parts.append(part)
        value, bound, made, kind, jet = map(np.concatenate, zip(*parts, strict=True))
        return Found(value, bound, made, kind, jet, refused)

    def limit(self, target: int, scale: float, tolerance: float) -> Array:
        """P(absorbed in `target`) at last, as a jet: at a time beyond which nothing moves."""
        time = float(self._times[-1]) + scale
        while True:
            left = self.found(SURVIVAL, np.array([time]), -1, 0, tolerance)
            if left.log_value[0] < _NOTHING:
                break
            time = self._times[-1] + 2 * (time - self._times[-1])
        found = self.found(DISTRIBUTION, np.array([time]), target, 0, tolerance)
        value = np.exp(found.log_value[0])
        slope = found.log_jet[0] * (value if value > 0 else 1.0)
        return self.atom[target] + np.concatenate([[value], slope])

    def density_at_zero(self) -> Array:
        """The density's limit from above, as a jet."""
        jet = np.zeros((1, self._jets))
        # Epochs of no length are over.
        epoch = int(np.searchsorted(self._times, 0.0, side="right")) - 1
        chain = self.chain(epoch)
        return jet[0] if chain is None else self._widened(chain.at_zero(DENSITY)[None], epoch)[0]
