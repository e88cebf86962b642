"""The engine's functions with derivatives, closed under jvp, vjp and vmap up to the second order.

The engine gives all first and second derivatives in theta beside the values, so a rule only
contracts them, and JAX transposes that by itself: value, then value and gradient, then value,
gradient and Hessian, each the rule of the one before.

Derivatives in time: of the distribution function that is the density. A density f is homogeneous
where all rates are multiples of theta, f(t; c theta) = c f(c t; theta), and so (Euler)
t f'(t) = theta · grad f - f. Of other densities there is none here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from .._engine.chain import DENSITY, SURVIVAL
from ..errors import NumericError
from . import calls
from .calls import Array, Question, Trace

Functions = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]


@cache
def density(question: Question, no_slope: str) -> Functions:
    """(value), (value, gradient), (value, gradient, Hessian) of a function of the density family.

    Each takes theta (P,), times (K,), rewards (n_vertices,) or (0,).

    Args:
        question: which function.
        no_slope: why the density has no derivative in times here, or "".
    """

    def evaluate(order: int, *operands: Array) -> Any:
        answer = calls.density(question, order, *operands)
        return answer if order else answer[0]

    def slope(second: bool, theta: Array, times: Array, rewards: Array) -> tuple[Array, Array]:
        """The derivative in times (K,), and of that in theta (K, P) where it is asked for."""
        if question.trace.discrete:
            raise _not_differentiable("there are no derivatives in numbers of steps")
        if question.function == DENSITY:
            if no_slope:
                raise _not_differentiable(no_slope)
            return _density_slope(functions, question.logarithm, second, theta, times, rewards)
        of_density = density(question._replace(function=DENSITY), no_slope)
        sign = -1.0 if question.function == SURVIVAL else 1.0
        value, gradient = of_density[1](theta, times, rewards)
        if not question.logarithm:
            return sign * value, sign * gradient
        own, own_gradient = functions[1](theta, times, rewards)
        ratio = sign * jnp.exp(value - own)
        return ratio, ratio[:, jnp.newaxis] * (gradient - own_gradient)

    functions = _nested(evaluate, slope)
    return functions


@cache
def moments(trace: Trace, count: int) -> Functions:
    """The same for the moments E[Y], .., E[Y^count]; each takes theta (P,) and rewards."""

    def evaluate(order: int, *operands: Array) -> Any:
        answer = calls.moments(trace, count, order, *operands)
        return answer if order else answer[0]

    return _nested(evaluate, None)


def _nested(evaluate: Callable[..., Any], slope: Callable[..., Any] | None) -> Functions:
    """`evaluate(order, theta, …)` as three functions, each the derivative of the one before."""

    @jax.custom_jvp
    def value(*operands: Array) -> Array:
        return evaluate(0, *operands)

    @jax.custom_jvp
    def first(*operands: Array) -> tuple[Array, Array]:
        return evaluate(1, *operands)

    @jax.custom_jvp
    def second(*operands: Array) -> tuple[Array, Array, Array]:
        return evaluate(2, *operands)

    def along(function: Any, rule: Callable[..., Any]) -> None:
        def checked(operands: Any, tangents: Any) -> Any:
            if not isinstance(tangents[-1], SymbolicZero):
                raise _not_differentiable("derivatives in rewards are not computed")
            d_theta = None if isinstance(tangents[0], SymbolicZero) else tangents[0]
            d_times = None
            if slope is not None and not isinstance(tangents[1], SymbolicZero):
                d_times = tangents[1]
            return rule(operands, d_theta, d_times)

        function.defjvp(checked, symbolic_zeros=True)

    def value_rule(operands: Any, d_theta: Any, d_times: Any) -> Any:
        if d_theta is None:
            result, change = value(*operands), 0.0
        else:
            result, gradient = first(*operands)
            change = gradient @ d_theta
        if d_times is not None and slope is not None:
            change = change + slope(False, *operands)[0] * d_times
        return result, change

    def first_rule(operands: Any, d_theta: Any, d_times: Any) -> Any:
        if d_theta is None:
            result, gradient = first(*operands)
            change, turn = jnp.zeros_like(result), jnp.zeros_like(gradient)
        else:
            result, gradient, hessian = second(*operands)
            change, turn = gradient @ d_theta, hessian @ d_theta
        if d_times is not None and slope is not None:
            in_time, in_both = slope(True, *operands)
            change = change + in_time * d_times
            turn = turn + in_both * d_times[:, jnp.newaxis]
        return (result, gradient), (change, turn)

    def second_rule(operands: Any, d_theta: Any, d_times: Any) -> Any:
        raise _not_differentiable("derivatives of the third order are not computed")

    along(value, value_rule)
    along(first, first_rule)
    along(second, second_rule)
    return value, first, second


def _density_slope(
    functions: Functions,
    logarithm: bool,
    second: bool,
    theta: Array,
    times: Array,
    rewards: Array,
) -> tuple[Array, Array]:
    """Derivatives in times of a homogeneous density or its logarithm; NaN at time 0."""
    if second:
        value, gradient, hessian = functions[2](theta, times, rewards)
        turn = hessian @ theta + (gradient if logarithm else 0.0)
    else:
        value, gradient = functions[1](theta, times, rewards)
        turn = gradient  # not looked at
    change = gradient @ theta - (1.0 if logarithm else value)
    return change / times, turn / times[:, jnp.newaxis]


def _not_differentiable(why: str) -> NumericError:
    return NumericError(
        f"FATAL: {why}",
        code="NOT_DIFFERENTIABLE",
        hint="differentiate by theta, at most twice; stop_gradient keeps others constant",
    )
