"""Where particles live: on one device, or spread over the devices of one or many processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding
from numpy.typing import NDArray

from ..errors import ConfigError
from .svgd import AXIS, SPLIT, WHOLE


class Placement:
    """Moves arrays from the host to the devices and back.

    Args:
        devices: over which particles are spread in equal parts; None: not spread. Devices of
            several processes need `jax.distributed.initialize()` and the same program in all.
        n_particles: of which there are.

    Raises:
        ConfigError: the parts would not be equal.
    """

    def __init__(self, devices: Sequence[Any] | None, n_particles: int) -> None:
        self.mesh = None if devices is None else Mesh(np.array(devices), (AXIS,))
        self._n_particles = n_particles
        if devices is not None and n_particles % len(devices):
            raise ConfigError(
                f"{n_particles} particles on {len(devices)} devices",
                code="PARTICLES_UNEVEN",
                hint=f"take a multiple of {len(devices)}",
            )

    def place(self, tree: Any) -> Any:
        """Arrays of the host, the same in all processes, on the devices.

        Those with a row a particle are split, all others are on every device.
        """
        if self.mesh is None:
            return jax.tree.map(jax.numpy.asarray, tree)
        return jax.tree.map(self._spread, tree)

    def collect(self, tree: Any) -> Any:
        """Whole arrays on the host, in all processes."""
        if self.mesh is not None:
            whole = NamedSharding(self.mesh, WHOLE)
            tree = jax.jit(lambda arrays: arrays, out_shardings=whole)(tree)
            tree = jax.tree.map(lambda array: array.addressable_data(0), tree)
        return jax.tree.map(np.asarray, tree)

    def agree(self, tree: Any) -> Any:
        """Arrays of the host as the first process has them.

        Machines that differ may round differently, and what is compiled into a program of several
        processes must be the same in all.
        """
        if self.mesh is None or jax.process_count() == 1:
            return tree
        return jax.tree.map(np.asarray, multihost_utils.broadcast_one_to_all(tree))

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes and reports."""
        return self.mesh is None or jax.process_index() == 0

    def _spread(self, array: NDArray[Any]) -> jax.Array:
        assert self.mesh is not None
        host = np.asarray(array)
        split = host.ndim > 0 and host.shape[0] == self._n_particles
        sharding = NamedSharding(self.mesh, SPLIT if split else WHOLE)
        return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])
