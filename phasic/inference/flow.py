"""The compiled functions of one fit: particles move in the coordinates of one whitening."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
import optax
from numpy.typing import NDArray

from ..errors import NumericError
from .compiled import compiled
from .diagnostics import stein_discrepancy
from .placement import Placement
from .posterior_density import LogPosterior
from .refusals import REFUSALS
from .stein import Kernel
from .svgd import State, advance, init, stein_force
from .whitening import Whitening

Values = NDArray[np.float64]


class Flow:
    """Moves states of particles, and says what they are as thetas."""

    def __init__(
        self,
        target: LogPosterior,
        whitening: Whitening,
        kernel: Kernel,
        optimizer: optax.GradientTransformation,
        placement: Placement,
    ) -> None:
        def log_density(z: jax.Array, key: jax.Array) -> jax.Array:
            return target(whitening.coordinates(z), key)

        def whole(z: jax.Array, key: jax.Array) -> jax.Array:
            return target(whitening.coordinates(z))

        force = stein_force(log_density, kernel, placement.mesh)
        exact = stein_force(whole, kernel, placement.mesh)
        self._optimizer = optimizer
        self._placement = placement
        self._in_step = compiled(lambda state: force(state.particles, _key_of(state))[:2])
        self._of_all_data = compiled(lambda state: exact(state.particles, state.key)[:2])
        self._advance = compiled(partial(advance, force=force, optimizer=optimizer))
        self._thetas = compiled(jax.vmap(lambda z: target.constrain(whitening.coordinates(z))))

    def first(self, particles: Values, seed: int) -> State:
        """The state that particles (n, d), whitened, begin with."""
        return self.restored(init(jax.numpy.asarray(particles), self._optimizer, _key(seed)))

    def restored(self, state: State) -> State:
        """A state of host arrays, on the devices."""
        placed: State = self._placement.place(jax.tree.map(np.asarray, state))
        return placed

    def advance(self, state: State, count: int) -> State:
        """`count` more steps.

        Raises:
            NumericError: a log density or score is not finite; the particle and theta are named.
        """
        until = int(state.iteration) + count
        try:
            state = self._advance(state, count)
            done = int(state.iteration)
        except REFUSALS as error:
            raise NumericError(
                f"FATAL: the model refused a theta between steps {until - count} and {until}: "
                f"{error}",
                code="MODEL_REFUSED",
                hint="smaller steps (optimizer=0.1), or a prior that keeps theta away from there",
            ) from error
        if done != until:
            raise self._not_finite(state)
        return state

    def thetas(self, state: State) -> Values:
        """(n, theta_dim), on the host."""
        return np.asarray(self._placement.collect(self._thetas(state.particles)))

    def discrepancy(self, state: State) -> tuple[float, float]:
        """KSD and effective sample size, by all data."""
        found = self._of_all_data(state)
        particles, (_, scores) = self._placement.collect((state.particles, found))
        return stein_discrepancy(particles, scores)

    def _not_finite(self, state: State) -> NumericError:
        values, scores = self._placement.collect(self._in_step(state))
        bad = ~(np.isfinite(values) & np.isfinite(scores).all(axis=1))
        first = int(np.flatnonzero(bad)[0])
        return NumericError(
            f"FATAL: particle {first} at theta = {self.thetas(state)[first].tolist()} has log "
            f"posterior density {values[first]} and gradient {scores[first].tolist()} (whitened) "
            f"in step {int(state.iteration)}; {int(bad.sum())} of {len(bad)} particles are so",
            code="GRADIENT_NOT_FINITE",
            hint="smaller steps (optimizer=0.1), a prior that keeps theta away from there, or a "
            "model with derivatives everywhere",
        )


def _key(seed: int) -> jax.Array:
    return jax.random.PRNGKey(seed)


def _key_of(state: State) -> jax.Array:
    return jax.random.fold_in(state.key, state.iteration)
