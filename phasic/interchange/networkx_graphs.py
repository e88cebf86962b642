"""Graphs of the package NetworkX (extra `networkx`).

A node `start` stands for the start, and its edges for the initial distribution; other nodes are
anything. Edges have a `weight`, or `base` and `coefficients`; nodes may have a `state`. The graph
itself may say `discrete`, `parameters` and `state_names` in its attributes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DependencyError, GraphError
from ..graph import Graph
from .edge_table import Edges, EdgeTable

if TYPE_CHECKING:
    import networkx

START = "start"


def to_networkx(graph: Graph, theta: ArrayLike | None = None) -> networkx.DiGraph:
    """A NetworkX graph.

    Args:
        graph: any.
        theta: (n_parameters,): edges have a `weight` as well.

    Returns:
        Nodes are `start` and the numbers of the vertices, in the order of `graph.states()`, with
        `state`; edges have `base` and `coefficients`, and `weight` if theta is given or there are
        no parameters.

    Raises:
        DependencyError: NetworkX is not installed.
        NumericError: theta does not fit.
    """
    try:
        import networkx
    except ImportError as error:
        raise DependencyError(
            "NetworkX is not installed", hint="pip install 'phasic[networkx]'"
        ) from error
    table = EdgeTable.of(graph, None)
    numbers = table if graph.n_parameters and theta is None else EdgeTable.of(graph, theta)
    made = networkx.DiGraph(
        discrete=table.discrete,
        parameters=list(table.parameters),
        state_names=list(table.state_names or ()),
    )
    made.add_node(START)
    for vertex in range(1, table.n_vertices):
        state = () if table.states is None else tuple(table.states[vertex].tolist())
        made.add_node(vertex, state=state)
    for k in range(table.source.size):
        source = int(table.source[k]) or START
        data: dict[str, Any] = {
            "base": float(table.base[k]),
            "coefficients": tuple(table.coefficients[k].tolist()),
        }
        if numbers.coefficients.shape[1] == 0:
            data["weight"] = float(numbers.base[k])
        made.add_edge(source, int(table.target[k]), **data)
    return made


def from_networkx(graph: networkx.DiGraph) -> Graph:
    """The graph of a NetworkX graph.

    Args:
        graph: directed, as above; edges between the same nodes add.

    Raises:
        GraphError: there is no node `start`, a state or a weight is wrong.
    """
    if START not in graph or not graph.is_directed():
        raise GraphError(
            "the NetworkX graph has no node 'start', or is not directed",
            code="NETWORKX",
            hint="edges of a node 'start' are the initial distribution of a DiGraph",
        )
    nodes = [START, *(node for node in graph if node != START)]
    number = {node: k for k, node in enumerate(nodes)}
    parameters = list(graph.graph.get("parameters", ()))
    edges = Edges(len(parameters))
    for source, target, data in graph.edges(data=True):
        base, coefficients = _form(data, len(parameters), f"{source!r} -> {target!r}")
        edges.add(number[source], number[target], base, coefficients)
    names = list(graph.graph.get("state_names", ()))
    states = None
    if names:
        rows = [[0] * len(names), *(_state(graph.nodes[n], n, len(names)) for n in nodes[1:])]
        states = np.array(rows, np.int64)
    return EdgeTable(
        *edges.arrays(),
        parameters,
        len(nodes),
        states,
        names or None,
        bool(graph.graph.get("discrete", False)),
    ).graph()


def _form(data: Mapping[str, Any], width: int, where: str) -> tuple[float, list[float]]:
    base, coefficients = math.nan, [0.0] * width
    with suppress(KeyError, TypeError, ValueError):
        coefficients = [float(x) for x in data.get("coefficients", coefficients)]
        base = float(data["base"] if "base" in data else data["weight"])
    if math.isnan(base) or len(coefficients) != width:
        raise GraphError(
            f"the edge {where} has {dict(data)!r}, expected weight, or base and {width}"
            " coefficients",
            code="NETWORKX",
            hint="as in graph.add_edge('start', 1, weight=1.0)",
        )
    return base, coefficients


def _state(data: Mapping[str, Any], node: object, width: int) -> list[int]:
    state = list(data.get("state", ()))
    if len(state) != width or not all(isinstance(x, int | np.integer) for x in state):
        raise GraphError(
            f"the node {node!r} has the state {state!r}, expected {width} whole numbers",
            code="NETWORKX",
            hint="leave state_names out of the graph's attributes where there are no states",
        )
    return [int(x) for x in state]
