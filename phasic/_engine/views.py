"""Arrays over C memory (read-only, keeping its owner alive) and C pointers to arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import ffi


class _Memory:
    """C memory by numpy's array interface; the array that is made of it holds the owner."""

    def __init__(self, address: int, shape: tuple[int, ...], typestr: str, owner: object) -> None:
        self.__array_interface__ = {
            "version": 3,
            "data": (address, True),
            "shape": shape,
            "typestr": typestr,
        }
        self.owner = owner


def view(
    pointer: Any, shape: int | tuple[int, ...], dtype: DTypeLike, owner: object
) -> NDArray[Any]:
    """A read-only array over `pointer`; `owner` lives at least as long as the array."""
    shape = (shape,) if isinstance(shape, int) else shape
    kind = np.dtype(dtype)
    address = int(ffi.cast("uintptr_t", pointer))
    if address == 0 or 0 in shape:
        empty = np.empty(shape, kind)
        empty.flags.writeable = False
        return empty
    return np.asarray(_Memory(address, shape, kind.str, owner))


_C_TYPES = {
    np.dtype(np.int32): "int32_t[]",
    np.dtype(np.int64): "int64_t[]",
    np.dtype(np.float64): "double[]",
}


def pointer(array: NDArray[Any] | None) -> Any:
    """A C pointer to a contiguous array, which it keeps alive; NULL for None."""
    if array is None:
        return ffi.NULL
    return ffi.from_buffer(_C_TYPES[array.dtype], array)
