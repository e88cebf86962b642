"""Derivatives in times of functions of the density family.

Of the distribution function it is the density. A density f is homogeneous where all rates are
multiples of theta, f(t; c theta) = c f(c t; theta), and so (Euler) t f'(t) = theta · grad f - f.
Of other densities there is none here.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from .._engine.chain import DENSITY, SURVIVAL
from ..errors import NumericError
from .questions import Density

Array = jax.Array


def in_times(
    evaluate: Callable[..., list[Array]],
    along: Callable[[Array, Array], Array],
    question: Density,
    order: int,
    *operands: Array,
) -> list[Array]:
    """Derivatives in times of the values (.., K) and, with order 1, of their gradients (.., K, P).

    `operands` are theta (.., P), times (.., K) and rewards.

    Raises:
        NumericError: there are none.
    """
    if question.trace.discrete:
        raise refusal("there are no derivatives in numbers of steps")
    if question.function == DENSITY:
        if question.no_slope:
            raise refusal(question.no_slope)
        return _of_density(evaluate, along, question, order, *operands)
    of_density = question._replace(function=DENSITY)
    sign = -1.0 if question.function == SURVIVAL else 1.0
    density = evaluate(of_density, order, *operands)
    if not question.logarithm:
        return [sign * part for part in density]
    own = evaluate(question, order, *operands)
    ratio = sign * jnp.exp(jnp.where(jnp.isneginf(density[0]), -jnp.inf, density[0] - own[0]))
    return [ratio] + [ratio[..., jnp.newaxis] * (density[k] - own[k]) for k in range(1, order + 1)]


def _of_density(
    evaluate: Callable[..., list[Array]],
    along: Callable[[Array, Array], Array],
    question: Density,
    order: int,
    *operands: Array,
) -> list[Array]:
    """By homogeneity; NaN at time 0, where it says nothing. The logarithm of 0 has slope 0."""
    theta, times, _ = operands
    value, gradient, *hessian = evaluate(question, order + 1, *operands)
    change = along(gradient, theta) - (~jnp.isneginf(value) if question.logarithm else value)
    at = jnp.where(times == 0, jnp.nan, times)
    slopes = [change / at]
    if hessian:
        turn = along(hessian[0], theta) + (gradient if question.logarithm else 0.0)
        slopes.append(turn / at[..., jnp.newaxis])
    return slopes


def refusal(why: str) -> NumericError:
    """The error of a derivative that there is not."""
    return NumericError(
        f"FATAL: {why}",
        code="NOT_DIFFERENTIABLE",
        hint="differentiate by theta, at most twice; jax.lax.stop_gradient keeps others constant",
    )
