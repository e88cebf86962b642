"""Places for the vertices of a small directed graph: layers by the distance from the start.

A vertex stands in the column of its distance (least number of edges) from vertex 0, so an edge
leads to the next column at most, stays in its own, or leads back. An edge back over several columns
gets a stand-in in each column between, so that it goes around vertices and not through them. The
order in a column lessens crossings by barycentres (Sugiyama, Tagawa & Toda 1981, IEEE Transactions
on Systems, Man and Cybernetics 11, 109-125), then by exchanging neighbours, where an edge within a
column costs as much as a few crossings for each vertex that it passes. Heights are drawn towards
those of the neighbours by least squares, in this order and with room for each (pool adjacent
violators).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SWEEPS = 12
# Crossings that are as bad as an edge that goes around a vertex.
_PASSING = 3
# A stand-in needs less room than a vertex.
_THIN = 0.55


@dataclass(frozen=True)
class Layout:
    """Where things are, in units of columns and of rows.

    Attributes:
        column: (n,) of each vertex; -1: not reached from vertex 0.
        row: (n,) its height.
        bends: for an edge, by its number, the points it passes on its way, if any.
    """

    column: NDArray[np.int64]
    row: Array
    bends: dict[int, list[tuple[float, float]]]


def lay_out(n_vertices: int, edges: Sequence[tuple[int, int]]) -> Layout:
    """The layout of a graph with edges (source, target); vertex 0 is the start."""
    column = distances(n_vertices, edges)
    level = column.tolist()
    links: list[tuple[int, int]] = []  # between neighbouring columns
    inner: list[tuple[int, int]] = []  # within a column
    chains: dict[int, list[int]] = {}
    for number, (source, target) in enumerate(edges):
        if level[source] < 0 or level[target] < 0 or source == target:
            continue
        span = level[source] - level[target]
        if span > 1:
            chain = list(range(len(level), len(level) + span - 1))
            level += range(level[source] - 1, level[target], -1)
            chains[number] = chain
            links += pairwise([source, *chain, target])
        else:
            (links if span else inner).append((source, target))
    columns = _ordered(level, links)
    _exchange(columns, links, inner)
    row = _heights(columns, links, n_vertices, len(level))
    bends = {
        number: [(float(level[point]), float(row[point])) for point in chain]
        for number, chain in chains.items()
    }
    return Layout(column, row[:n_vertices], bends)


def distances(n_vertices: int, edges: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """The least number of edges from vertex 0; -1 where there is no way."""
    following: list[list[int]] = [[] for _ in range(n_vertices)]
    for source, target in edges:
        following[source].append(target)
    found = np.full(n_vertices, -1, np.int64)
    found[0] = 0
    waiting = deque([0])
    while waiting:
        vertex = waiting.popleft()
        for target in following[vertex]:
            if found[target] < 0:
                found[target] = found[vertex] + 1
                waiting.append(target)
    return found


def crossings(columns: Sequence[Sequence[int]], links: Sequence[tuple[int, int]]) -> int:
    """How many pairs of links between neighbouring columns cross."""
    place = {vertex: at for column in columns for at, vertex in enumerate(column)}
    level = {vertex: number for number, column in enumerate(columns) for vertex in column}
    by_gap: dict[int, list[tuple[int, int]]] = {}
    for a, b in links:
        left, right = (a, b) if level[a] < level[b] else (b, a)
        by_gap.setdefault(level[left], []).append((place[left], place[right]))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for pairs in by_gap.values()
        for number, a in enumerate(pairs)
        for b in pairs[:number]
    )


def _ordered(level: Sequence[int], links: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Vertices by column, from bottom to top."""
    columns: list[list[int]] = [[] for _ in range(max(level) + 1)]
    for vertex, at in enumerate(level):
        if at >= 0:
            columns[at].append(vertex)
    neighbours = _neighbours(links)
    best, fewest = [list(column) for column in columns], crossings(columns, links)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for at in range(len(columns)) if forward else reversed(range(len(columns))):
            beside = at - 1 if forward else at + 1
            if not 0 <= beside < len(columns):
                continue
            place = {vertex: k for k, vertex in enumerate(columns[beside])}
            centre = {}
            for k, vertex in enumerate(columns[at]):
                near = [place[other] for other in neighbours.get(vertex, ()) if other in place]
                # One without a neighbour keeps its share of the column.
                share = k / max(len(columns[at]) - 1, 1) * max(len(place) - 1, 0)
                centre[vertex] = sum(near) / len(near) if near else share
            columns[at].sort(key=centre.__getitem__)
        count = crossings(columns, links)
        if count < fewest:
            best, fewest = [list(column) for column in columns], count
    return best


def _exchange(
    columns: list[list[int]],
    links: Sequence[tuple[int, int]],
    inner: Sequence[tuple[int, int]],
) -> None:
    """Exchanges neighbours in a column as long as that makes the picture simpler."""

    def cost() -> int:
        place = {vertex: at for column in columns for at, vertex in enumerate(column)}
        passed = sum(abs(place[a] - place[b]) - 1 for a, b in inner)
        return crossings(columns, links) + _PASSING * passed

    least = cost()
    for _ in range(_SWEEPS):
        before = least
        for column in columns:
            for at in range(len(column) - 1):
                column[at], column[at + 1] = column[at + 1], column[at]
                now = cost()
                if now < least:
                    least = now
                else:
                    column[at], column[at + 1] = column[at + 1], column[at]
        if least == before:
            return


def _neighbours(links: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for a, b in links:
        found.setdefault(a, []).append(b)
        found.setdefault(b, []).append(a)
    return found


def _heights(
    columns: Sequence[Sequence[int]],
    links: Sequence[tuple[int, int]],
    n_vertices: int,
    n_points: int,
) -> Array:
    neighbours = _neighbours(links)
    row = np.zeros(n_points)
    for column in columns:
        row[list(column)] = _offsets(column, n_vertices)
        row[list(column)] -= row[list(column)].mean() if column else 0.0
    for sweep in range(2 * _SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wished = np.array(
                [
                    np.mean(row[neighbours[vertex]]) if vertex in neighbours else row[vertex]
                    for vertex in column
                ]
            )
            offsets = _offsets(column, n_vertices)
            row[list(column)] = isotonic(wished - offsets) + offsets
    return row


def _offsets(column: Sequence[int], n_vertices: int) -> Array:
    """Heights of a column that is packed as tightly as its room allows."""
    room = np.array([1.0 if vertex < n_vertices else _THIN for vertex in column])
    steps = (room[:-1] + room[1:]) / 2
    return np.concatenate([[0.0], np.cumsum(steps)])[: len(column)]


def isotonic(values: Array) -> Array:
    """The non-decreasing sequence that is closest to `values` in least squares."""
    pools: list[tuple[float, int]] = []
    for value in values.tolist():
        mean, size = value, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean = (mean * size + before * count) / (size + count)
            size += count
        pools.append((mean, size))
    return np.concatenate([np.full(size, mean) for mean, size in pools] or [np.empty(0)])
