"""The graph of a model: states in layers by their distance from the start, edges with rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..errors import GraphError
from . import style
from .arrangement import STATE_SIZE, WEIGHT_SIZE, Arrangement, arrange, bulge_within, text_size
from .geometry import Array, Box, between, bow, loop, place_labels, through
from .layout import Layout, lay_out
from .weights import WeightedEdge, weighted_edges

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..trace_elimination import EliminationTrace

MOST_VERTICES = 60

# In points (1/72 inch).
_MARGIN, _HEADER, _LEAST_PICTURE = 26.0, 44.0, 380.0
_BULGE, _BULGE_WITHIN = 9.0, 13.0
_LOOP = 9.0
_LETTERS_A_LINE = 26


def plot_graph(
    trace: EliminationTrace, theta: ArrayLike | None = None, *, title: str | None = None
) -> Figure:
    """Draws the states of a model and the transitions between them.

    Args:
        trace: of the graph; `graph.compute_trace()` or `distribution.trace`.
        theta: (n_parameters,): rates are numbers, and edges of rate 0 are left out; None: rates are
            formulas in theta.
        title: above the picture.

    Returns:
        A Matplotlib figure; `save_figure` writes it.

    Raises:
        DependencyError: Matplotlib is not installed.
        GraphError: there are more than 60 vertices.
        NumericError: theta does not fit.

    Example:
        >>> from phasic.models import coalescent
        >>> from phasic.plots import plot_graph
        >>> figure = plot_graph(coalescent.kingman(5).compute_trace())
        >>> figure.axes[0].texts[-1].get_text()
        'State graph'
    """
    if trace.n_vertices > MOST_VERTICES:
        raise GraphError(
            f"the graph has {trace.n_vertices:,} vertices; at most {MOST_VERTICES} can be drawn",
            code="PLOT_TOO_LARGE",
            hint="draw a smaller model of its kind; `phasic inspect --states` lists the states",
        )
    # Before the imports of the drawing itself: it says what is missing.
    figure = style.new_figure(1.0, 1.0, layout=None)
    edges = [edge for edge in weighted_edges(trace, theta) if edge.source != edge.target]
    layout = lay_out(trace.n_vertices, [(edge.source, edge.target) for edge in edges])
    texts = _state_texts(trace)
    made = arrange(layout, texts, edges)
    width = max(made.width, _LEAST_PICTURE) + 2 * _MARGIN
    height = made.height + 2 * _MARGIN + _HEADER
    figure.set_size_inches(width / 72, height / 72)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    left = (made.width - width) / 2
    axes.set_xlim(left, left + width)
    axes.set_ylim(-_MARGIN, height - _MARGIN)
    _draw_edges(axes, edges, layout, made, _stays(trace, theta, edges))
    _draw_states(axes, trace, texts, made.boxes)
    heading = (left + _MARGIN, height - _MARGIN)
    _draw_heading(axes, heading, title or "State graph", _note(trace, theta, edges, layout))
    return figure


# ---- words


def _state_texts(trace: EliminationTrace) -> list[str]:
    """Short labels; long ones in several lines."""
    texts = []
    for vertex in range(trace.n_vertices):
        label = trace.evaluator.label(vertex)
        if label.endswith(",)"):  # a state of one number
            label = label[1:-2]
        lines = math.ceil(len(label) / _LETTERS_A_LINE)
        texts.append("\n".join(wrap(label, math.ceil(len(label) / lines) + 2)))
    return texts


def _note(
    trace: EliminationTrace,
    theta: ArrayLike | None,
    edges: Sequence[WeightedEdge],
    layout: Layout,
) -> str:
    weights = "probabilities" if trace.discrete else "rates"
    where = ""
    if trace.n_parameters:
        where = " as formulas" if theta is None else f" at {style.theta_note(np.asarray(theta))}"
    unseen = int((layout.column < 0).sum())
    parts = [f"{trace.n_vertices} vertices", f"{len(edges)} edges", f"{weights}{where}"]
    if unseen:
        parts.append(f"{unseen} never reached, left out")
    return "   ·   ".join(parts)


def _stays(
    trace: EliminationTrace, theta: ArrayLike | None, edges: Sequence[WeightedEdge]
) -> dict[int, str]:
    """Probabilities of staying for a step, by vertex, of a discrete graph at a theta."""
    if not trace.discrete or theta is None:
        return {}
    leaving: dict[int, float] = {}
    for edge in edges:
        leaving[edge.source] = leaving.get(edge.source, 0.0) + edge.weight
    return {
        vertex: style.number(1 - total)
        for vertex, total in leaving.items()
        if vertex != trace.starting_vertex and 1 - total > 1e-12
    }


# ---- marks


def _draw_states(
    axes: Axes, trace: EliminationTrace, texts: Sequence[str], boxes: dict[int, Box]
) -> None:
    from matplotlib.patches import FancyBboxPatch

    absorbing = set(trace.evaluator.ends.tolist())
    meta = trace.handle.meta
    boundary = trace.handle.array("position_vertex")[: meta["n_absorbing"] + meta["n_dropped"]]
    dropped = set(boundary[meta["n_absorbing"] :].tolist())
    for vertex, box in boxes.items():
        if vertex == trace.starting_vertex:
            face, edge, ink = style.INK, style.INK, "white"
        elif vertex in absorbing:
            face, edge, ink = style.PALE_ORANGE, style.ORANGE, style.INK
        elif vertex in dropped:
            face, edge, ink = "white", style.GREY, style.MUTED
        else:
            face, edge, ink = style.PALE_BLUE, style.BLUE, style.INK
        corner = (box.x - box.width / 2, box.y - box.height / 2)
        rounding = f"round,pad=0,rounding_size={box.height / 3:.1f}"
        axes.add_patch(
            FancyBboxPatch(
                corner,
                box.width,
                box.height,
                boxstyle=rounding,
                facecolor=face,
                edgecolor=edge,
                linewidth=2.2 if vertex in absorbing else 1.2,
                zorder=4,
            )
        )
        axes.text(
            box.x,
            box.y,
            texts[vertex],
            fontsize=STATE_SIZE,
            color=ink,
            ha="center",
            va="center_baseline" if "\n" not in texts[vertex] else "center",
            zorder=5,
        )


def _draw_edges(
    axes: Axes,
    edges: Sequence[WeightedEdge],
    layout: Layout,
    made: Arrangement,
    stays: dict[int, str],
) -> None:
    boxes, bends = made.boxes, made.bends
    pairs = {(edge.source, edge.target) for edge in edges}
    curves, labels = [], []
    for number, edge in enumerate(edges):
        if edge.source in boxes and edge.target in boxes:
            both = (edge.target, edge.source) in pairs
            curve = _curve(edge, layout, boxes, bends.get(number), both)
            curves.append(between(curve, boxes[edge.source], boxes[edge.target]))
            labels.append(edge.label)
    for vertex, text in stays.items():
        if vertex in boxes:
            curves.append(loop(boxes[vertex], _LOOP))
            labels.append(text)
    for curve in curves:
        _draw_arrow(axes, curve)
    sizes = [text_size(text, WEIGHT_SIZE) for text in labels]
    padded = [(width + 4, height + 1) for width, height in sizes]
    for text, box in zip(labels, place_labels(curves, padded, list(boxes.values())), strict=True):
        axes.text(
            box.x,
            box.y,
            text,
            fontsize=WEIGHT_SIZE,
            color=style.MUTED,
            ha="center",
            va="center_baseline",
            zorder=3,
            bbox={"boxstyle": "square,pad=0.12", "facecolor": "white", "linewidth": 0},
        )


def _curve(
    edge: WeightedEdge,
    layout: Layout,
    boxes: dict[int, Box],
    bends: list[Array] | None,
    both: bool,
) -> Array:
    source, target = boxes[edge.source], boxes[edge.target]
    start, end = np.array([source.x, source.y]), np.array([target.x, target.y])
    if bends:
        return through([start, *bends, end])
    bulge = _BULGE if both else 0.0
    if layout.column[edge.source] == layout.column[edge.target]:
        bulge = bulge_within(layout, edge) or (_BULGE_WITHIN if both else 0.0)
    return bow(start, end, bulge)


def _draw_arrow(axes: Axes, curve: Array) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    axes.add_patch(
        FancyArrowPatch(
            path=Path(curve),
            arrowstyle="-|>,head_length=5,head_width=2.4",
            mutation_scale=1.0,
            color=style.MUTED,
            linewidth=1.0,
            zorder=2,
        )
    )


def _draw_heading(axes: Axes, at: tuple[float, float], title: str, note: str) -> None:
    x, y = at
    axes.text(x, y - 34, note, fontsize=style.NOTE_SIZE, color=style.MUTED, va="baseline")
    axes.text(
        x,
        y - 16,
        title,
        fontsize=style.TITLE_SIZE,
        color=style.INK,
        fontweight="bold",
        va="baseline",
    )
