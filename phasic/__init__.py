"""Phase-type distributions: record a model once, evaluate it for any theta.

This file is the table of contents. A name loads its module when it is first used, so that
`import phasic` and the commands that need no numbers are quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__
from .errors import (
    CacheError,
    ConfigError,
    EngineMemoryError,
    FormatError,
    GraphError,
    InternalError,
    NumericError,
    PhasicError,
    PhasicWarning,
    TraceError,
)

if TYPE_CHECKING:
    from .declared import Process, Transition
    from .distribution import Distribution
    from .graph import Graph
    from .inference import (
        SVGD,
        log_posterior,
        maximum_a_posteriori,
        maximum_likelihood,
        method_of_moments,
    )
    from .trace_elimination import EliminationTrace, evaluate_trace, record_elimination_trace

_PLACES = {
    "Distribution": "distribution",
    "EliminationTrace": "trace_elimination",
    "Graph": "graph",
    "Process": "declared",
    "SVGD": "inference",
    "Transition": "declared",
    "evaluate_trace": "trace_elimination",
    "log_posterior": "inference",
    "maximum_a_posteriori": "inference",
    "maximum_likelihood": "inference",
    "method_of_moments": "inference",
    "record_elimination_trace": "trace_elimination",
}

__all__ = [
    "SVGD",
    "CacheError",
    "ConfigError",
    "Distribution",
    "EliminationTrace",
    "EngineMemoryError",
    "FormatError",
    "Graph",
    "GraphError",
    "InternalError",
    "NumericError",
    "PhasicError",
    "PhasicWarning",
    "Process",
    "TraceError",
    "Transition",
    "__version__",
    "evaluate_trace",
    "log_posterior",
    "maximum_a_posteriori",
    "maximum_likelihood",
    "method_of_moments",
    "record_elimination_trace",
]


def __getattr__(name: str) -> object:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'phasic' has no attribute {name!r}")
    return getattr(import_module(f"phasic.{place}"), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
