"""pmap, shard_map and jit over the devices of one process: the answers of one device, lanes split.

Prints one JSON line: for each way, whether values and gradients agree, and the calls and lanes of
the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

jax.config.update("jax_enable_x64", True)

from phasic._engine import xla  # noqa: E402
from rules import queue_graph  # noqa: E402

TIMES = np.linspace(0.1, 3.0, 7)
THETAS = np.random.default_rng(5).uniform(0.5, 2.0, (8, 2))


def counted(run: Callable[[], Any], expected: Any) -> dict[str, Any]:
    jax.block_until_ready(run())  # compiled
    before = xla.counts()
    found = jax.block_until_ready(run())
    calls, lanes = np.subtract(xla.counts(), before)
    flat = np.asarray(found).reshape(expected.shape)
    error = np.abs(flat / expected - 1).max()
    return {"calls": int(calls), "lanes": int(lanes), "error": float(error)}


def main() -> None:
    model = queue_graph(4).pmf_from_graph()
    n = jax.device_count()

    def values(thetas: Any) -> Any:
        return jax.vmap(model, in_axes=(0, None))(thetas, TIMES)

    def gradients(thetas: Any) -> Any:
        return jax.vmap(jax.grad(lambda theta: model.logpdf(theta, TIMES).sum()))(thetas)

    report = {}
    rows = PartitionSpec("d")
    auto = jax.make_mesh((n,), ("d",), axis_types=(AxisType.Auto,))
    explicit = jax.make_mesh((n,), ("d",), axis_types=(AxisType.Explicit,))
    for name, f in (("values", values), ("gradients", gradients)):
        expected = np.asarray(f(jnp.asarray(THETAS)))
        split = THETAS.reshape(n, -1, 2)
        ways = {
            "pmap": lambda f=f, split=split: jax.pmap(f)(split),
            "shard_map": lambda f=f: jax.jit(
                jax.shard_map(f, mesh=auto, in_specs=rows, out_specs=rows)
            )(THETAS),
            "jit": lambda f=f: jax.jit(f)(jax.device_put(THETAS, NamedSharding(auto, rows))),
            "explicit jit": lambda f=f: jax.jit(f)(
                jax.device_put(THETAS, NamedSharding(explicit, rows))
            ),
        }
        for way, run in ways.items():
            report[f"{way} {name}"] = counted(run, expected)
    print(json.dumps({"devices": n, "report": report}))


if __name__ == "__main__":
    main()
