"""How the compiler may cut an evaluation whose lanes lie on several devices: lane by lane.

Without this, a jitted program gathers all lanes on every device. The two attributes are those that
JAX's own batched linear algebra carries: the number of leading axes for the older partitioner, a
rule for Shardy.
"""

from __future__ import annotations

from typing import Any

from jax.interpreters import mlir


def rule_of(operands: Any, results: Any, n_lanes: int) -> dict[str, Any]:
    """Attributes of a call whose operands and results (abstract values) share `n_lanes` axes."""
    names = _names()
    lanes = [next(names) for _ in range(n_lanes)]
    sizes = dict(zip(lanes, results[0].shape, strict=False))
    whole = []  # axes that must lie on one device

    def axes(aval: Any) -> str:
        row = [next(names) for _ in aval.shape[n_lanes:]]
        sizes.update(zip(row, aval.shape[n_lanes:], strict=True))
        whole.extend(row)
        return f"[{', '.join(lanes + row)}]"

    arrows = [f"({', '.join(axes(aval) for aval in side)})" for side in (operands, results)]
    factors = ", ".join(f"{name}={size}" for name, size in sizes.items())
    rule = (
        f"#sdy.op_sharding_rule<{arrows[0]}->{arrows[1]} {{{factors}}} "
        f"need_replication={{{', '.join(sorted(whole, key=list(sizes).index))}}}, custom>"
    )
    return {
        "mhlo.frontend_attributes": mlir.ir_attribute({"num_batch_dims": str(n_lanes)}),
        "sdy.sharding_rule": mlir.ir.Attribute.parse(rule),
    }


def _names() -> Any:
    """i, j, .., z, z_1, z_2, ..: as Shardy writes factors."""
    yield from "ijklmnopqrstuvwxyz"
    number = 1
    while True:
        yield f"z_{number}"
        number += 1
