"""What JAX runs on."""

from __future__ import annotations

import jax


def names() -> list[str]:
    """All devices of JAX's default backend, as in `["cpu:0"]`."""
    return [f"{device.platform}:{device.id}" for device in jax.devices()]
