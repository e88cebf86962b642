"""Stein variational gradient descent as pure functions: `init`, `step`, and `advance`.

They work on any log density of whitened coordinates z (d,). `fit.py` has the loop that people use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh, PartitionSpec

from .stein import Kernel, stein_direction

LogDensity = Callable[[jax.Array, jax.Array], jax.Array]
AXIS = "particles"
SPLIT: Any = PartitionSpec(AXIS)  # type: ignore[no-untyped-call]
WHOLE: Any = PartitionSpec()  # type: ignore[no-untyped-call]

Force = Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array, jax.Array]]


class State(NamedTuple):
    """What a step takes and returns.

    Attributes:
        particles: (n, d), in the coordinates of the log density.
        optimizer: optax's state.
        key: of the random numbers (minibatches); step i uses `fold_in(key, i)`.
        iteration: steps made.
        movement: root of the mean square of the last direction, in the same coordinates.
    """

    particles: jax.Array
    optimizer: Any
    key: jax.Array
    iteration: jax.Array
    movement: jax.Array


def init(particles: jax.Array, optimizer: optax.GradientTransformation, key: jax.Array) -> State:
    """The state before the first step."""
    return State(
        particles,
        optimizer.init(particles),
        key,
        jnp.zeros((), jnp.int32),
        jnp.full((), jnp.inf, particles.dtype),
    )


def stein_force(log_density: LogDensity, kernel: Kernel, mesh: Mesh | None = None) -> Force:
    """`force(particles, key)`: log densities (n,), scores (n, d) and directions (n, d).

    Args:
        log_density: of one particle, and a key.
        mesh: devices over which particles are spread: each computes the scores of its own, and
            all see all particles and scores for the kernel.
    """

    def force(own: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        values, scores = jax.vmap(jax.value_and_grad(log_density), (0, None))(own, key)
        everyone, everyones = own, scores
        if mesh is not None:
            everyone, everyones = (
                jax.lax.all_gather(part, AXIS, tiled=True) for part in (own, scores)
            )
        return values, scores, stein_direction(own, everyone, everyones, kernel)

    if mesh is None:
        return force
    return jax.shard_map(
        force, mesh=mesh, in_specs=(SPLIT, WHOLE), out_specs=SPLIT, check_vma=False
    )


def step(state: State, force: Force, optimizer: optax.GradientTransformation) -> State:
    """One step. Where a log density or score is not finite, the state stays as it is."""
    key = jax.random.fold_in(state.key, state.iteration)
    values, scores, direction = force(state.particles, key)
    updates, memory = optimizer.update(-direction, state.optimizer, state.particles)
    moved = State(
        optax.apply_updates(state.particles, updates),
        memory,
        state.key,
        state.iteration + 1,
        jnp.sqrt(jnp.mean(jnp.square(direction))),
    )
    fine = jnp.isfinite(values).all() & jnp.isfinite(scores).all()
    return jax.tree.map(lambda new, old: jnp.where(fine, new, old), moved, state)


def advance(
    state: State, count: jax.Array, force: Force, optimizer: optax.GradientTransformation
) -> State:
    """`count` steps. One loop whatever the count: the same executable, so the same bits."""
    return jax.lax.fori_loop(0, count, lambda _, at: step(at, force, optimizer), state)
