"""A .npy array from a stream: what its header claims is compared with the bytes that follow.

A header may claim any number of rows; nothing is allocated by it.
"""

from __future__ import annotations

import math
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

Header = tuple[tuple[int, ...], bool, np.dtype[Any]]


def read_header(stream: IO[bytes]) -> Header:
    """The shape, whether it is in Fortran order, and the type.

    Raises:
        ValueError: there is no such header.
    """
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"version {version[0]}.{version[1]} of .npy, expected 1.0 or 2.0")
    shape, by_columns, dtype = _HEADERS[version](stream)
    if dtype.hasobject or any(axis < 0 for axis in shape):
        raise ValueError(f"{dtype} of shape {shape}, expected numbers")
    return shape, by_columns, dtype


def read_array(stream: IO[bytes]) -> NDArray[Any]:
    """The array, up to the end of the stream; it is read-only.

    Raises:
        ValueError: there is no header, or more or fewer bytes follow than it claims.

    Example:
        >>> import io
        >>> import numpy as np
        >>> from phasic.npy import read_array
        >>> stream = io.BytesIO()
        >>> np.save(stream, np.arange(3.0))
        >>> read_array(io.BytesIO(stream.getvalue())).tolist()
        [0.0, 1.0, 2.0]
        >>> read_array(io.BytesIO(stream.getvalue()[:-1]))
        Traceback (most recent call last):
            ...
        ValueError: the header claims shape (3,) of float64, 24 bytes, and 23 bytes follow
    """
    shape, by_columns, dtype = read_header(stream)
    claimed = math.prod(shape) * dtype.itemsize
    content = stream.read()
    if len(content) != claimed:
        raise ValueError(
            f"the header claims shape {shape} of {dtype}, {claimed:,} bytes, and "
            f"{len(content):,} bytes follow"
        )
    return np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")
