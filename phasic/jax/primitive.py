"""The engine's evaluation as a primitive of JAX, closed under differentiation to the second order.

`evaluate(question, order, theta, …)` gives values, with order 1 also gradients, with order 2 also
Hessians, in rows: theta (.., P), times (.., K), rewards (.., V) or (.., 0); values (.., K),
gradients (.., K, P), Hessians (.., K, P, P). Leading axes are lanes, of size 1 where an operand is
the same for all: vmap adds one, and it stays one call.

The derivative of order 0 contracts the answer of order 1 with the tangent, that of order 1 the
answer of order 2; JAX transposes contractions by itself. It is a primitive and not a custom_jvp
function, which would lose its rule inside a scan that is differentiated twice.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jax.sharding import PartitionSpec

from ..errors import NumericError
from . import slopes
from .partition import rule_of
from .questions import Density, Question

Array = jax.Array

_primitive = Primitive("phasic_evaluate")
_primitive.multiple_results = True


def evaluate(question: Question, order: int, *operands: Array) -> list[Array]:
    """Values and, with `order`, their derivatives in theta; see above."""
    dtype = jnp.result_type(*operands)
    together = _equally_varying([operand.astype(dtype) for operand in operands])
    return _primitive.bind(*together, question=question, order=order)


def _equally_varying(operands: list[Array]) -> list[Array]:
    """Under shard_map: operands that all differ between devices along the axes that one does."""
    varying = [jax.typeof(operand).manual_axis_type.varying for operand in operands]
    axes = frozenset[Any]().union(*varying)
    return [
        jax.lax.pcast(operand, tuple(axes - own), to="varying") if axes - own else operand
        for operand, own in zip(operands, varying, strict=True)
    ]


# ---- what comes out


def _lanes(avals: Any) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """Leading axes of the answer, and how each is spread over devices."""
    sizes, spread = [], []
    for axis in range(avals[0].ndim - 1):
        at = [(aval.shape[axis], aval.sharding.spec[axis]) for aval in avals]
        size, spec = next(((n, spec) for n, spec in at if n != 1), at[0])
        sizes.append(size)
        spread.append(spec)
    return tuple(sizes), tuple(spread)


def _abstract(*avals: Any, question: Question, order: int) -> list[Any]:
    lanes, spread = _lanes(avals)
    results = []
    for k in range(order + 1):
        row = (question.length(avals),) + (question.trace.n_parameters,) * k
        spec = PartitionSpec(*spread, *(None,) * len(row))
        results.append(
            avals[0].update(
                shape=lanes + row,
                weak_type=False,
                sharding=avals[0].sharding.update(spec=spec),
            )
        )
    return results


_primitive.def_abstract_eval(_abstract)


@jax.jit(static_argnames=("question", "order"))
def _compiled(*operands: Array, question: Question, order: int) -> list[Array]:
    return _primitive.bind(*operands, question=question, order=order)


_primitive.def_impl(_compiled)


# ---- many lanes


def _batched(
    operands: Any, axes: Any, *, question: Question, order: int
) -> tuple[list[Array], list[int]]:
    in_front = [
        jnp.expand_dims(operand, 0) if axis is None else jnp.moveaxis(operand, axis, 0)
        for operand, axis in zip(operands, axes, strict=True)
    ]
    results = evaluate(question, order, *in_front)
    return results, [0] * len(results)


batching.primitive_batchers[_primitive] = _batched


# ---- derivatives


def along(derivative: Array, tangent: Array) -> Array:
    """Derivatives (.., K, P) or (.., K, P, P) along a tangent (.., P): the last axis goes."""
    return (derivative @ _behind(tangent, derivative.ndim - tangent.ndim))[..., 0]


def _behind(tangent: Array, missing: int) -> Array:
    """(.., P) as columns (.., 1, .., P, 1), for as many axes as are missing."""
    lanes, length = tangent.shape[:-1], tangent.shape[-1]
    return tangent.reshape(*lanes, *(1,) * (missing - 1), length, 1)


def _derivative(primals: Any, tangents: Any, *, question: Question, order: int) -> Any:
    if all(type(tangent) is ad.Zero for tangent in tangents):
        results = evaluate(question, order, *primals)
        return results, [ad.Zero(jax.typeof(result).to_tangent_aval()) for result in results]
    if order == 2:
        raise slopes.refusal("derivatives of the third order are not computed")
    if type(tangents[-1]) is not ad.Zero:
        raise slopes.refusal("derivatives in rewards are not computed")
    d_theta = None if type(tangents[0]) is ad.Zero else tangents[0]
    if d_theta is None:
        results = evaluate(question, order, *primals)
        changes = [jnp.zeros_like(result) for result in results]
    else:
        *results, highest = evaluate(question, order + 1, *primals)
        changes = [along(one, d_theta) for one in (*results, highest)[1:]]
    if isinstance(question, Density) and type(tangents[1]) is not ad.Zero:
        d_times = tangents[1]
        in_times = slopes.in_times(evaluate, along, question, order, *primals)
        for k, slope in enumerate(in_times):
            changes[k] = changes[k] + slope * d_times.reshape(*d_times.shape, *(1,) * k)
    return results, changes


ad.primitive_jvps[_primitive] = _derivative


# ---- what XLA gets


def _lowered(ctx: Any, *operands: Any, question: Question, order: int) -> Any:
    lanes, _ = _lanes(ctx.avals_in)
    context = ctx.module_context.axis_context
    split = isinstance(context, mlir.ShardingContext) and context.num_devices > 1 and bool(lanes)
    if split and any(aval.shape[:-1] != lanes for aval in ctx.avals_in):
        # XLA would cut an axis of size 1 like the others.
        def spread(*arrays: Array) -> list[Array]:
            full = [jnp.broadcast_to(array, (*lanes, array.shape[-1])) for array in arrays]
            return _primitive.bind(*full, question=question, order=order)

        return mlir.lower_fun(spread, multiple_results=True)(ctx, *operands)
    lower = jax.ffi.ffi_lowering(
        question.target,
        extra_attributes=rule_of(ctx.avals_in, ctx.avals_out, len(lanes)) if split else None,
    )
    registration = question.trace.registration
    ctx.module_context.add_keepalive(registration)
    return lower(
        ctx,
        *operands,
        key0=np.int64(registration.words[0]),
        key1=np.int64(registration.words[1]),
        order=np.int64(order),
        **question.attributes(),
    )


mlir.register_lowering(_primitive, _lowered, platform="cpu")


def _elsewhere(ctx: Any, *operands: Any, question: Question, order: int) -> Any:
    raise NumericError(
        "FATAL: phasic's models run on the CPU, and this program is compiled for another device",
        code="JAX_PLATFORM",
        hint='run with JAX_PLATFORMS=cpu, or under jax.default_device(jax.devices("cpu")[0])',
    )


mlir.register_lowering(_primitive, _elsewhere)
