"""The content key of a graph: SHA-256 over its canonical form, the same in C and Python.

It does not depend on the order in which a rule was explored, on Python, machine or threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .state_space.frozen import FrozenGraph


class Freezable(Protocol):
    """Anything that has a frozen graph: a `Graph`."""

    @property
    def frozen(self) -> FrozenGraph: ...


@dataclass(frozen=True)
class GraphHash:
    """Both names of a graph, in hexadecimal.

    Attributes:
        hash_hex: the trace key, which also names the file: content, trace format and ordering.
        content_hex: the content alone.
    """

    hash_hex: str
    content_hex: str

    def __str__(self) -> str:
        return self.hash_hex


def compute_graph_hash(graph: Freezable) -> GraphHash:
    """The key of a graph; explores it if that has not happened yet.

    Raises:
        GraphError, TraceError: the graph is not valid, or its rule has no end.

    Example:
        >>> from phasic import Graph, hash as phasic_hash
        >>> graph = Graph.from_matrices([1.0], [[-2.0]])
        >>> len(phasic_hash.compute_graph_hash(graph).hash_hex)
        64
    """
    frozen = graph.frozen
    return GraphHash(frozen.trace_key.hex(), frozen.content_hash.hex())
