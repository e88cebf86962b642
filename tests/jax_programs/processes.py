"""One of several processes under jax.distributed: steps of a particle method on all their devices.

    processes.py NUMBER COUNT ADDRESS

Every process holds its share of the particles; a step gathers them and their gradients. Prints one
JSON line: the particles of all after some steps, by shard_map and by jit.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, NamedSharding, PartitionSpec

jax.config.update("jax_enable_x64", True)

TIMES = np.linspace(0.1, 3.0, 7)
THETAS = np.random.default_rng(5).uniform(0.5, 2.0, (8, 2))
STEPS = 3


def direction(own: Any, all_points: Any, all_gradients: Any) -> Any:
    """Where SVGD moves particles, with a kernel of fixed width (Liu & Wang 2016, equation 8)."""
    apart = own[:, None] - all_points[None]
    kernel = jnp.exp(-0.5 * (apart**2).sum(-1))
    return (kernel @ all_gradients + (kernel[..., None] * apart).sum(1)) / len(all_points)


def main(number: int, count: int, address: str) -> None:
    jax.distributed.initialize(address, num_processes=count, process_id=number)
    from rules import queue_graph

    graph = queue_graph(4)
    model = graph.pmf_from_graph()

    def gradients(thetas: Any) -> Any:
        return jax.vmap(jax.grad(lambda theta: model.logpdf(theta, TIMES).sum()))(thetas)

    mesh = jax.make_mesh((jax.device_count(),), ("d",), axis_types=(AxisType.Auto,))
    rows = PartitionSpec("d")

    def shared(own: Any) -> Any:
        slope = gradients(own)
        gather = lambda x: jax.lax.all_gather(x, "d", tiled=True)  # noqa: E731
        return own + 0.05 * direction(own, gather(own), gather(slope))

    def whole(points: Any) -> Any:
        return points + 0.05 * direction(points, points, gradients(points))

    step = {
        "shard_map": jax.jit(jax.shard_map(shared, mesh=mesh, in_specs=rows, out_specs=rows)),
        "jit": jax.jit(whole),
    }
    report: dict[str, Any] = {"devices": jax.device_count()}
    for way, advance in step.items():
        particles = jax.make_array_from_callback(
            THETAS.shape, NamedSharding(mesh, rows), lambda index: THETAS[index]
        )
        for _ in range(STEPS):
            particles = advance(particles)
        report[way] = np.asarray(multihost_utils.process_allgather(particles, tiled=True)).tolist()
    print(json.dumps(report))
    jax.distributed.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
