"""One evaluation in the engine as a custom call of XLA: values and derivatives, not differentiable.

A call takes rows and gives rows; under vmap there are lanes in front, of size 1 where an operand is
the same for all, and it stays one call.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .targets import register

Array = jax.Array


class Trace(NamedTuple):
    """What names a trace, and what is to be known of it."""

    words: tuple[int, ...]
    n_parameters: int
    discrete: bool


class Question(NamedTuple):
    """A function of the density family, by the engine's numbers."""

    trace: Trace
    function: int
    logarithm: bool
    method: int
    tolerance: float


def density(
    question: Question, order: int, theta: Array, times: Array, rewards: Array
) -> tuple[Array, ...]:
    """Values (K,), gradients (K, P) from order 1 on, Hessians (K, P, P) with order 2.

    Args:
        question: which function of which trace.
        order: derivatives in theta: 0, 1, 2.
        theta: (P,).
        times: (K,).
        rewards: (n_vertices,), or (0,): the time itself.
    """
    return _call(
        "phasic_density",
        question.trace,
        order,
        times.shape[0],
        (theta, times, rewards),
        function=np.int64(question.function),
        logarithm=np.int64(question.logarithm),
        method=np.int64(question.method),
        tolerance=np.float64(question.tolerance),
    )


def moments(
    trace: Trace, count: int, order: int, theta: Array, rewards: Array
) -> tuple[Array, ...]:
    """E[Y], .., E[Y^count]: (count,), and derivatives behind as for `density`."""
    return _call("phasic_moments", trace, order, count, (theta, rewards), n_moments=np.int64(count))


def _call(
    name: str, trace: Trace, order: int, length: int, operands: tuple[Array, ...], **attributes: Any
) -> tuple[Array, ...]:
    register()
    dtype = jnp.result_type(*operands)
    operands = tuple(operand.astype(dtype) for operand in operands)
    operands, varying = _equally_varying(operands)
    shapes = [(length,) + (trace.n_parameters,) * k for k in range(order + 1)]
    call = jax.ffi.ffi_call(
        name,
        [jax.ShapeDtypeStruct(shape, dtype, **varying) for shape in shapes],  # type: ignore[no-untyped-call]
        vmap_method="expand_dims",
    )
    return tuple(
        call(
            *operands,
            key0=np.int64(trace.words[0]),
            key1=np.int64(trace.words[1]),
            order=np.int64(order),
            **attributes,
        )
    )


def _equally_varying(operands: tuple[Array, ...]) -> tuple[tuple[Array, ...], dict[str, Any]]:
    """Under shard_map: operands that all differ between devices along the axes that one does."""
    types = [jax.typeof(operand).manual_axis_type for operand in operands]
    axes = frozenset[Any]().union(*(kind.varying for kind in types))
    if not axes:
        return operands, {}
    together = tuple(
        jax.lax.pcast(operand, tuple(axes - kind.varying), to="varying")
        if axes - kind.varying
        else operand
        for operand, kind in zip(operands, types, strict=True)
    )
    return together, {"manual_axis_type": jax.typeof(together[0]).manual_axis_type}
