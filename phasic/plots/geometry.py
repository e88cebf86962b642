"""Curves and boxes of a drawn graph, in points (1/72 inch): edges that end at the border of a box,
and places for their labels where least is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SAMPLES = 60
_GAP = 2.5
# Where on its edge a label may stand, the middle first.
_FRACTIONS = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8)


@dataclass(frozen=True)
class Box:
    """A rectangle by its centre."""

    x: float
    y: float
    width: float
    height: float

    def holds(self, points: Array, margin: float = 0.0) -> NDArray[np.bool_]:
        """Which of points (n, 2) are inside, or closer than `margin`."""
        return (np.abs(points[:, 0] - self.x) < self.width / 2 + margin) & (
            np.abs(points[:, 1] - self.y) < self.height / 2 + margin
        )

    def overlap(self, other: Box) -> float:
        """The area that both cover."""
        wide = (self.width + other.width) / 2 - abs(self.x - other.x)
        high = (self.height + other.height) / 2 - abs(self.y - other.y)
        return max(0.0, min(wide, self.width, other.width)) * max(
            0.0, min(high, self.height, other.height)
        )


def bow(start: Array, end: Array, bulge: float) -> Array:
    """A curve (n, 2) that leaves the straight line by `bulge` in its middle, to its left."""
    along = end - start
    length = float(np.hypot(*along)) or 1.0
    normal = np.array([-along[1], along[0]]) / length
    control = (start + end) / 2 + 2 * bulge * normal
    u = np.linspace(0, 1, _SAMPLES)[:, np.newaxis]
    return (1 - u) ** 2 * start + 2 * u * (1 - u) * control + u**2 * end


def through(points: Sequence[Array]) -> Array:
    """A smooth curve (n, 2) through points (Catmull & Rom 1974)."""
    p = np.array([points[0], *points, points[-1]])
    u = np.linspace(0, 1, _SAMPLES // 2)[:, np.newaxis]
    parts = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        parts.append(
            0.5
            * (
                2 * b
                + (c - a) * u
                + (2 * a - 5 * b + 4 * c - d) * u**2
                + (3 * b - a - 3 * c + d) * u**3
            )
        )
    return np.concatenate(parts)


def loop(box: Box, size: float) -> Array:
    """A curve (n, 2) from the top of a box back to it."""
    angle = np.linspace(-0.72 * np.pi, 0.72 * np.pi, _SAMPLES)
    x = box.x + size * np.sin(angle)
    y = box.y + box.height / 2 + size * (0.62 + np.cos(angle)) + _GAP
    return np.column_stack([x, y])


def between(curve: Array, source: Box, target: Box) -> Array:
    """The part of a curve that is outside both boxes."""
    outside = np.flatnonzero(~source.holds(curve, _GAP) & ~target.holds(curve, _GAP))
    if outside.size < 2:
        return curve
    begin, end = outside[0], outside[-1]
    inner = curve[begin : end + 1]
    # The border lies between two samples.
    first = _border(curve[begin - 1], curve[begin], source) if begin else inner[0]
    last = _border(curve[end + 1], curve[end], target) if end + 1 < len(curve) else inner[-1]
    return np.vstack([first, inner, last])


def _border(inside: Array, outside: Array, box: Box) -> Array:
    for _ in range(20):
        middle = (inside + outside) / 2
        if box.holds(middle[np.newaxis], _GAP)[0]:
            inside = middle
        else:
            outside = middle
    return outside


def place_labels(
    curves: Sequence[Array], sizes: Sequence[tuple[float, float]], boxes: Sequence[Box]
) -> list[Box]:
    """A box on each curve, away from vertices, from other labels and from other curves."""
    placed: list[Box] = []
    for number, (curve, (width, height)) in enumerate(zip(curves, sizes, strict=True)):
        others = np.concatenate([c for k, c in enumerate(curves) if k != number] or [curve[:0]])
        options = []
        for preference, fraction in enumerate(_FRACTIONS):
            x, y = _at(curve, fraction)
            box = Box(x, y, width, height)
            hidden = sum(box.overlap(other) for other in (*boxes, *placed))
            options.append((8 * hidden + 3 * box.holds(others).sum() + preference, preference, box))
        placed.append(min(options, key=lambda option: option[:2])[2])
    return placed


def _at(curve: Array, fraction: float) -> tuple[float, float]:
    """The point after so much of a curve's length."""
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    at = fraction * length[-1]
    return float(np.interp(at, length, curve[:, 0])), float(np.interp(at, length, curve[:, 1]))
