"""One of several processes that fit one posterior together, each with its share of the particles.

    particles.py NUMBER COUNT ADDRESS CHECKPOINT

Prints one JSON line: the particles of all, the same with minibatches, and how many devices they
were on. CHECKPOINT: "-" or a file.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import jax
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)

DATA = np.random.default_rng(5).exponential(1.0, 30)


def main(number: int, count: int, address: str, checkpoint: str) -> None:
    if count > 1:
        jax.distributed.initialize(address, num_processes=count, process_id=number)
    from phasic.inference import SVGD, Gamma
    from phasic.models import coalescent

    def fit(**options: Any) -> list[list[float]]:
        posterior = SVGD(
            coalescent.kingman(4),
            DATA,
            prior=Gamma(3, 2),
            n_particles=8,
            n_iterations=40,
            devices=jax.devices(),
            progress=False,
            **options,
        ).fit()
        return posterior.particles.tolist()

    kept = None if checkpoint == "-" else checkpoint
    report = {
        "devices": jax.device_count(),
        "all": fit(checkpoint=kept, every=10),
        "minibatch": fit(minibatch=10, optimizer=optax.adam(0.05)),
    }
    print(json.dumps(report))
    if count > 1:
        jax.distributed.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
