"""Compiling a fit's functions: quickly, as each runs but some hundred times.

XLA's newer way of fusing loops on the CPU takes as long to compile the small loops of a fit as the
whole fit takes to run; its older one gives programs that are as fast here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

_QUICKLY = {"xla_cpu_use_fusion_emitters": False}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same as a compiled function."""
    wrapped: Callable[..., Any] = jax.jit(function, compiler_options=_QUICKLY)
    return wrapped
