"""What is asked of a fit, checked before it begins: counts, levels, kernels, steps, starts."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import optax
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError
from .stein import Kernel

Values = NDArray[np.float64]
Optimizer: TypeAlias = Any  # an optax optimiser or schedule, a number, or None

_STEP = 0.5
_MOST_AT_ONCE = 0.3


def check_count(name: str, number: Any, least: int) -> None:
    """Refuses what is no whole number, or less than `least`.

    Raises:
        ConfigError: it is none.
    """
    whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    if not whole or number < least:
        raise ConfigError(
            f"{name} is {number!r}, expected a whole number of {least} or more",
            code="COUNT_INVALID",
            hint="SVGD's defaults, 200 particles and 300 iterations, are a good beginning",
        )


def check_tolerance(tolerance: float | None) -> None:
    """Refuses a tolerance below which no movement is.

    Raises:
        ConfigError: it is negative, or NaN.
    """
    if tolerance is not None and not tolerance >= 0:
        raise ConfigError(
            f"tolerance is {tolerance}, expected a movement of 0 or more",
            code="TOLERANCE_INVALID",
            hint="1 is a posterior standard deviation, so 0.01 is a good one; None: go on",
        )


def check_level(level: float) -> float:
    """The level of an interval, a probability between 0 and 1.

    Raises:
        ConfigError: it is none.
    """
    if not 0 < level < 1:
        raise ConfigError(
            f"the level is {level}, not between 0 and 1", code="LEVEL_INVALID", hint="as in 0.95"
        )
    return level


def as_kernel(kernel: Kernel | None) -> Kernel:
    """The kernel, the default one for None.

    Raises:
        ConfigError: it is none.
    """
    if kernel is not None and not isinstance(kernel, Kernel):
        raise ConfigError(
            f"the kernel is {kernel!r}, expected a phasic.inference.Kernel",
            code="KERNEL_INVALID",
            hint="Kernel() has its bandwidth by the median of distances",
        )
    return kernel or Kernel()


def as_optimizer(optimizer: Optimizer, n_iterations: int) -> optax.GradientTransformation:
    """The optimiser that SVGD's argument stands for.

    Raises:
        ConfigError: it is none.
    """
    if isinstance(optimizer, optax.GradientTransformation):
        return optimizer
    step = optax.cosine_decay_schedule(_STEP, n_iterations) if optimizer is None else optimizer
    number = isinstance(step, (int, float, np.number)) and not isinstance(step, bool)
    if not callable(step) and not (number and 0 < step < np.inf):
        raise ConfigError(
            f"the optimizer is {optimizer!r}; expected an optax optimiser, a schedule, or a step "
            "size above 0",
            code="OPTIMIZER_INVALID",
            hint="as in optimizer=optax.adam(0.05), or optimizer=0.3",
        )
    # What is clipped is the direction, so that the largest step is less as the step size falls.
    return optax.chain(optax.clip(_MOST_AT_ONCE / _STEP), optax.sgd(step))


def as_start(start: str | ArrayLike, n_particles: int, theta_dim: int) -> str | Values:
    """The name of a way to begin, or the thetas (n_particles, theta_dim) given.

    Raises:
        ConfigError: there is no such way, or the thetas have another shape.
    """
    if isinstance(start, str):
        if start not in ("laplace", "prior"):
            raise ConfigError(
                f"there is no start {start!r}",
                code="START_INVALID",
                hint='"laplace", "prior", or thetas (n_particles, theta_dim)',
            )
        return start
    thetas = np.asarray(start, dtype=float)
    if thetas.shape != (n_particles, theta_dim):
        raise ConfigError(
            f"start has shape {thetas.shape}, expected ({n_particles}, {theta_dim})",
            code="THETA_LENGTH",
            hint="a row a particle, fixed entries included",
        )
    return thetas
