"""A graph as Graphviz draws it, with states as labels and weights as formulas, or as numbers."""

from __future__ import annotations

from numpy.typing import ArrayLike

from ..files import replacing
from ..graph import Graph
from .edge_table import EdgeTable


def write(graph: Graph, path: str, *, theta: ArrayLike | None) -> None:
    """Writes a DOT file: `dot -Tsvg model.dot -o model.svg` draws it."""
    table = EdgeTable.of(graph, theta)
    leaving = set(table.source.tolist())
    with replacing(path) as stream:
        stream.write("digraph phasic {\n  rankdir=LR;\n  node [shape=ellipse];\n")
        stream.write('  v0 [label="start", shape=point];\n')
        for vertex in range(1, table.n_vertices):
            label = str(vertex)
            if table.states is not None:
                label = ", ".join(map(str, table.states[vertex].tolist()))
            shape = "" if vertex in leaving else ", shape=doublecircle"
            stream.write(f'  v{vertex} [label="{label}"{shape}];\n')
        for source, target, base, coefficients in zip(
            table.source.tolist(),
            table.target.tolist(),
            table.base.tolist(),
            table.coefficients.tolist(),
            strict=True,
        ):
            label = _formula(base, coefficients, table)
            stream.write(f'  v{source} -> v{target} [label="{label}"];\n')
        stream.write("}\n")


def _formula(base: float, coefficients: list[float], table: EdgeTable) -> str:
    """`0.5 + 3 beta`, with the digits that a picture has room for."""
    terms = [f"{base:.6g}"] if base or not any(coefficients) else []
    for name, coefficient in zip(table.parameters, coefficients, strict=True):
        if coefficient:
            terms.append(name if coefficient == 1 else f"{coefficient:.6g} {name}")
    return " + ".join(terms)
