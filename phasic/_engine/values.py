"""A function of the density family at one theta and any times, by one call of the engine."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import ffi, lib
from .status import Context, check
from .trace import TraceHandle
from .views import pointer

Array = NDArray[np.float64]


class ValuesAsked(NamedTuple):
    """Which function, how: the engine's numbers; `order` of derivatives in theta."""

    function: int
    method: int
    tolerance: float
    order: int
    logarithm: bool


def density_values(
    trace: TraceHandle,
    theta: Array,
    rewards: Array | None,
    asked: ValuesAsked,
    times: Array,
    out: tuple[Array, ...],
    context: Context,
) -> None:
    """Fills `out`: values (n,), gradients (n, P) from order 1 on, Hessians (n, P, P)."""
    options, error = ffi.new("ptd_values_options *", asked), ffi.new("ptd_error *")
    places = [pointer(part) for part in out] + [ffi.NULL] * (3 - len(out))
    status = lib.ptd_density_values(
        trace.address,
        pointer(theta),
        pointer(rewards),
        options,
        len(times),
        pointer(times),
        *places,
        error,
    )
    check(status, error, context)
