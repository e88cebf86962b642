"""Closed forms, data and posteriors for the tests of `phasic.inference`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from phasic.inference import Beta, Gamma

jax.config.update("jax_enable_x64", True)

DATA = np.array([0.4, 1.1, 0.2, 2.5, 0.9, 0.7, 1.6, 0.1])


def exponential(theta: Any, times: Any) -> Any:
    """The density of an exponential time with rate theta[0]."""
    return theta[0] * jnp.exp(-theta[0] * times)


def hyperexponential(theta: Any, times: Any) -> Any:
    """The density of a mixture: rates theta[0], theta[1], weight theta[2] of the first."""
    first, second = theta[0], theta[1]
    return theta[2] * first * jnp.exp(-first * times) + (1 - theta[2]) * second * jnp.exp(
        -second * times
    )


def prior_of(entries: list[dict[str, Any]]) -> list[Any]:
    """Priors as the reference cases write them."""
    return [
        Gamma(float(entry["shape"]), float(entry["rate"]))
        if entry["dist"] == "gamma"
        else Beta(float(entry["a"]), float(entry["b"]))
        for entry in entries
    ]
