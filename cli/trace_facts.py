"""What a trace is made of, in numbers, as `inspect` and `report` show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from phasic.cli.trace_source import Opened


def facts(opened: Opened) -> dict[str, Any]:
    """Key, origin, kind and sizes, by name."""
    trace = opened.trace
    numbers = trace.statistics()
    return {
        "key": trace.key,
        "origin": opened.origin,
        "kind": "discrete" if trace.discrete else "continuous",
        "vertices": numbers["n_vertices"],
        "absorbing": numbers["n_absorbing"],
        "dropped": numbers["n_dropped"],
        "edges": numbers["n_edges"],
        "parameters": numbers["n_parameters"],
        "state_length": numbers["state_length"],
        "components": numbers["n_components"],
        "largest_component": numbers["largest_component"],
        "fill_in": numbers["fill_in"],
        "multiply_adds": numbers["multiply_adds"],
        "operations": len(trace.operations),
        "bytes": numbers["bytes"],
    }
