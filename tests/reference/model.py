"""A parameterised Markov graph as plain lists: the common input of oracle and engines.

Vertices are 0..n_vertices-1 and the start is apart from them: its edges are `start`. Numbers may be
floats, integers or Fractions; the oracle takes each as the exact rational that it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

Number = float | int | Fraction
StartEdge = tuple[int, Number, tuple[Number, ...]]
Edge = tuple[int, int, Number, tuple[Number, ...]]

START = -1
"""The start's number where it must stand beside vertices."""


@dataclass(frozen=True)
class Model:
    """Weights are ``base + coefficients . theta``; parallel edges add; a vertex without an edge out
    is absorbing. ``improper`` admits vertices that never reach absorption."""

    n_vertices: int
    start: Sequence[StartEdge]
    edges: Sequence[Edge]
    n_parameters: int = 0
    discrete: bool = False
    improper: bool = False
    theta: Sequence[Number] = ()
    rewards: dict[str, Sequence[Number]] = field(default_factory=dict)

    def absorbing(self) -> list[int]:
        """Vertices that no edge leaves, in ascending order."""
        leaving = {source for source, _, _, _ in self.edges}
        return [v for v in range(self.n_vertices) if v not in leaving]

    def stopped_at(self, vertices: set[int]) -> Model:
        """The model in which `vertices` are absorbing."""
        return replace(self, edges=[edge for edge in self.edges if edge[0] not in vertices])

    def killed(self, shifts: dict[int, Number]) -> Model:
        """The model with one more absorbing vertex, the last, into which v leads at the rate
        `shifts[v]`; discrete: visits of v are survived with probability 1 / (1 + shifts[v])."""
        none = (0,) * self.n_parameters
        edges = list(self.edges)
        if self.discrete:
            survival = {v: 1 / (1 + s) for v, s in shifts.items()}
            edges = [
                (u, v, x * survival.get(u, 1), tuple(c * survival.get(u, 1) for c in cs))
                for u, v, x, cs in edges
            ]
            lost = {v: s / (1 + s) for v, s in shifts.items()}
        else:
            lost = shifts
        edges += [(v, self.n_vertices, rate, none) for v, rate in lost.items() if rate]
        return replace(self, n_vertices=self.n_vertices + 1, edges=edges)

    def permuted(self, order: Sequence[int]) -> Model:
        """The same model with vertex v called ``order[v]``."""
        return replace(
            self,
            start=[(order[v], base, c) for v, base, c in self.start],
            edges=[(order[u], order[v], base, c) for u, v, base, c in self.edges],
        )


def reachable(sources: list[int], successors: dict[int, list[int]]) -> set[int]:
    """Every vertex to which a path leads from `sources`, these included."""
    seen = set(sources)
    stack = list(sources)
    while stack:
        for j in successors.get(stack.pop(), ()):
            if j not in seen:
                seen.add(j)
                stack.append(j)
    return seen


def predecessors_of(successors: dict[int, list[int]]) -> dict[int, list[int]]:
    """The reversed graph."""
    result: dict[int, list[int]] = {}
    for i, targets in successors.items():
        for j in targets:
            result.setdefault(j, []).append(i)
    return result
