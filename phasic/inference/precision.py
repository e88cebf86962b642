"""Whether JAX computes in double precision, which inference needs for its last digits."""

from __future__ import annotations

from contextlib import AbstractContextManager

import jax
import jax.numpy as jnp

from ..errors import warn


def say_precision() -> None:
    """Warns, once, where JAX is in 32-bit mode; nothing is switched."""
    if jnp.zeros(()).dtype != jnp.float64:
        warn(
            "JAX_X64",
            "JAX is in 32-bit mode: log densities of many observations, and so estimates, keep few "
            'digits; jax.config.update("jax_enable_x64", True) at the start of the program keeps '
            "all",
            once=True,
        )


def double_precision() -> AbstractContextManager[None]:
    """A block in which JAX computes in double precision, for programs that own their process."""
    return jax.enable_x64(True)
