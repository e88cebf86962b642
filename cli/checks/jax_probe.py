"""A program for `phasic doctor`: a density through JAX, and JAX's devices, as JSON on stdout.

It is a process of its own: JAX may take long to start, hang on a driver, or end the process.
"""

from __future__ import annotations

import json

import numpy as np

from phasic.jax import devices
from phasic.models import coalescent


def main() -> None:
    """Two lineages that coalesce at rate 2 have the density 2 at 0."""
    model = coalescent.kingman(2).pmf_from_graph()
    value = float(model(np.array([2.0]), np.array([0.0]))[0])
    print(json.dumps({"value": value, "devices": devices.names()}))


if __name__ == "__main__":
    main()
