"""From columns and rows to points (1/72 inch): boxes of the vertices, room for what is between.

Columns are as wide as their widest vertex, gaps as wide as labels and bows of edges need. A chain
of single vertices goes on in further lines, every second one backwards, to fit a page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .geometry import Array, Box
from .layout import Layout
from .weights import WeightedEdge

STATE_SIZE, WEIGHT_SIZE = 9.5, 8.0
_PADDING = 7.0
_LEAST_WIDTH, _LINE = 30.0, 12.5
_ROW_GAP, _COLUMN_GAP = 30.0, 34.0
# Room for each edge between two columns beyond a few.
_CROWDED, _MOST_CROWDED = 3.0, 120.0
_BULGE_PASSING = 30.0
# A chain that is so many times as wide as high is broken into lines, to about this shape.
_TOO_WIDE, _SHAPE = 4.0, 1.9
_LEAST_COLUMNS = 8


@dataclass(frozen=True)
class Arrangement:
    """Where everything is, from (0, 0) on.

    Attributes:
        boxes: by vertex; those that are never reached have none.
        bends: by edge, the points it passes on its way, if any.
        width, height: of it all.
    """

    boxes: dict[int, Box]
    bends: dict[int, list[Array]]
    width: float
    height: float


@dataclass(frozen=True)
class _Columns:
    """From columns and rows to points: columns run in lines, every second one backwards."""

    x: Array
    line: NDArray[np.int64]
    line_height: float
    row_height: float

    def point(self, column: int, row: float) -> Array:
        return np.array(
            [self.x[column], row * self.row_height - self.line[column] * self.line_height]
        )


def arrange(layout: Layout, texts: Sequence[str], edges: Sequence[WeightedEdge]) -> Arrangement:
    """Places for a layout whose vertices have these texts."""
    seen = [vertex for vertex in range(len(texts)) if layout.column[vertex] >= 0]
    sizes = {vertex: _box_size(texts[vertex]) for vertex in seen}
    columns = _columns(layout, sizes, edges)
    centre = {v: columns.point(int(layout.column[v]), float(layout.row[v])) for v in seen}
    bends = {
        number: [columns.point(int(column), row) for column, row in points]
        for number, points in layout.bends.items()
    }
    corners = [centre[v] + sign * np.array(sizes[v]) / 2 for v in seen for sign in (-1, 1)]
    inside = np.array([*corners, *(point for points in bends.values() for point in points)])
    low, high = inside.min(axis=0), inside.max(axis=0)
    boxes = {
        v: Box(float(centre[v][0] - low[0]), float(centre[v][1] - low[1]), *sizes[v]) for v in seen
    }
    moved = {number: [point - low for point in points] for number, points in bends.items()}
    return Arrangement(boxes, moved, float(high[0] - low[0]), float(high[1] - low[1]))


def _columns(
    layout: Layout, sizes: dict[int, tuple[float, float]], edges: Sequence[WeightedEdge]
) -> _Columns:
    count = int(layout.column.max()) + 1
    widths = np.zeros(count)
    for vertex, (width, _) in sizes.items():
        widths[layout.column[vertex]] = max(widths[layout.column[vertex]], width)
    gaps = _gaps(layout, edges, count)
    row_height = max(height for _, height in sizes.values()) + _ROW_GAP
    rows = [layout.row[vertex] for vertex in sizes]
    rows += [row for points in layout.bends.values() for _, row in points]
    height = (max(rows) - min(rows) + 1) * row_height
    is_chain = max(rows) - min(rows) < 0.5
    per_line = _columns_a_line(count, float((widths + gaps).sum()), height) if is_chain else count
    line = np.arange(count) // per_line
    x = np.zeros(count)
    for column in range(1, count):
        step = widths[column - 1] / 2 + gaps[column - 1] + widths[column] / 2
        if line[column] != line[column - 1]:
            step = 0.0
        x[column] = x[column - 1] + (step if line[column] % 2 == 0 else -step)
    return _Columns(x, line, height + _ROW_GAP / 2, row_height)


def _gaps(layout: Layout, edges: Sequence[WeightedEdge], count: int) -> Array:
    """The room to the right of each column: for labels, more for many edges and for bows."""
    label, links, bows = np.zeros(count), np.zeros(count), np.zeros(count + 1)
    for edge in edges:
        near, far = sorted((int(layout.column[edge.source]), int(layout.column[edge.target])))
        if near < 0:
            continue
        if near == far:
            bows[near] = max(bows[near], bulge_within(layout, edge))
        else:
            links[near:far] += 1
            if far == near + 1:
                label[near] = max(label[near], text_size(edge.label, WEIGHT_SIZE)[0])
    crowded = np.minimum(_MOST_CROWDED, _CROWDED * np.maximum(links - 4, 0))
    return _COLUMN_GAP + label + crowded + bows[:-1] + bows[1:]


def bulge_within(layout: Layout, edge: WeightedEdge) -> float:
    """How far an edge within a column bows around the vertices that it passes."""
    passed = abs(layout.row[edge.source] - layout.row[edge.target]) - 1
    return 0.0 if passed < 0.5 else _BULGE_PASSING * float(np.sqrt(passed))


def _columns_a_line(count: int, width: float, height: float) -> int:
    if width < _TOO_WIDE * height or count < _LEAST_COLUMNS:
        return count
    lines = max(1, round(math.sqrt(width / (_SHAPE * height))))
    return math.ceil(count / lines)


def text_size(text: str, size: float) -> tuple[float, float]:
    """Width and height of its ink."""
    from matplotlib.textpath import TextPath

    lines = text.split("\n")
    width = max(float(TextPath((0, 0), line, size=size).get_extents().width) for line in lines)
    return width, size + (len(lines) - 1) * _LINE


def _box_size(text: str) -> tuple[float, float]:
    width, height = text_size(text, STATE_SIZE)
    return max(width + 2 * _PADDING, _LEAST_WIDTH), height + 2 * _PADDING
