"""exp, log, log1p as the engine takes them: whoever goes on from its logarithms gets its bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import lib
from .views import pointer

Array = NDArray[np.float64]


def exp(x: Array) -> Array:
    """e^x by element, of any shape."""
    return _by_element(lib.ptd_exp_all, x)


def log(x: Array) -> Array:
    """The natural logarithm by element, of any shape; -inf at 0."""
    return _by_element(lib.ptd_log_all, x)


def log1p(x: Array) -> Array:
    """log(1 + x) by element, of any shape; -inf at -1."""
    return _by_element(lib.ptd_log1p_all, x)


def _by_element(function: Callable[..., Any], x: Array) -> Array:
    values = np.ascontiguousarray(x)
    result = np.empty_like(values)
    function(values.size, pointer(values), pointer(result))
    return result
