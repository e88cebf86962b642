"""The sub-intensity matrix as dots, in the order of its states and in that of elimination.

Up to `MOST_CELLS` states each dot is an entry; beyond, each stands for a square of entries and is
the darker the more there are. What elimination adds, the fill-in, has a colour of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import style
from .pattern import Counts, Pattern, elimination_pattern

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..trace_elimination import EliminationTrace

# The faintest dot, of one entry among many that could be: it is still seen.
_FAINTEST = 0.45
# Dots of larger matrices are so small that frames around components would hide them.
_MOST_FRAMES = 60
_WORDS = (("edge", style.BLUE), ("fill-in", style.ORANGE), ("diagonal", style.GREY))


def plot_elimination(trace: EliminationTrace, *, title: str | None = None) -> Figure:
    """Draws the pattern of a model's matrix before and after ordering, the fill-in marked.

    Args:
        trace: of any size; beyond 400 states a dot stands for several entries.
        title: above the picture.

    Returns:
        A Matplotlib figure; `save_figure` writes it.

    Raises:
        DependencyError: Matplotlib is not installed.
        GraphError: no state is transient, so that there is no matrix.

    Example:
        >>> from phasic.models import queues
        >>> from phasic.plots import plot_elimination
        >>> figure = plot_elimination(queues.tandem(5, 5).compute_trace())
        >>> [axes.get_title("left") for axes in figure.axes]
        ['in the order of the states', 'in the order of elimination']
    """
    # Before the counting: it says what is missing.
    figure = style.new_figure(9.4, 5.4)
    pattern = elimination_pattern(trace)
    none = np.zeros_like(pattern.fill)
    given, ordered = figure.subplots(1, 2)
    _draw(given, pattern, pattern.given, none, "in the order of the states")
    _draw(ordered, pattern, pattern.ordered, pattern.fill, "in the order of elimination")
    _frame_components(ordered, pattern)
    style.heading(figure, title or "Pattern of the elimination", _note(trace, pattern))
    _legend(figure, pattern)
    return figure


def _note(trace: EliminationTrace, pattern: Pattern) -> str:
    meta = trace.handle.meta
    parts = [
        f"{pattern.n_states:,} states",
        f"{int(pattern.given.sum()):,} edges between them",
        f"fill-in {meta['fill_in']:,}",
        f"{meta['multiply_adds']:,} multiply-adds",
    ]
    if len(pattern.components):
        largest = int(np.diff(pattern.components).max()) + 1
        parts.append(f"largest component {largest:,} states")
    else:
        parts.append("no cycles")
    return "   ·   ".join(parts)


def _draw(axes: Axes, pattern: Pattern, edges: Counts, fill: Counts, title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    n, width = pattern.n_states, pattern.states_a_cell
    # The last cell may stand for fewer states than the others: it reaches beyond the matrix.
    end = len(edges) * width + 0.5
    axes.imshow(
        cell_colours(edges, fill, width),
        extent=(0.5, end, end, 0.5),
        interpolation="none",  # in SVG each cell stays one, however small
    )
    axes.set_xlim(0.5, n + 0.5)
    axes.set_ylim(n + 0.5, 0.5)
    for ticks in (axes.xaxis, axes.yaxis):
        ticks.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
        ticks.set_major_formatter(lambda value, _: f"{int(value):,}" if 1 <= value <= n else "")
    axes.tick_params(colors=style.MUTED, labelsize=style.TICK_SIZE, length=3)
    axes.spines[:].set_color(style.GREY)
    axes.set_title(title, fontsize=style.LABEL_SIZE, color=style.INK, loc="left", pad=8)
    axes.set_xlabel("to", fontsize=style.LABEL_SIZE, color=style.INK)
    axes.set_ylabel("from", fontsize=style.LABEL_SIZE, color=style.INK)


def cell_colours(edges: Counts, fill: Counts, width: int) -> NDArray[np.float64]:
    """Colours (cells, cells, 3) of a grid whose cells stand for width x width entries."""
    from matplotlib.colors import to_rgb

    edge, extra, diagonal = (np.array(to_rgb(colour)) for _, colour in _WORDS)
    both = edges + fill
    share = (fill / np.maximum(both, 1))[..., np.newaxis]
    depth = _FAINTEST + (1 - _FAINTEST) * np.log1p(both) / np.log1p(width * width)
    depth = np.where(both > 0, np.minimum(depth, 1.0), 0.0)[..., np.newaxis]
    colours = (1 - depth) + depth * ((1 - share) * edge + share * extra)
    at = np.arange(len(edges))
    alone = at[both[at, at] == 0]
    colours[alone, alone] = diagonal
    return np.asarray(colours)


def _frame_components(axes: Axes, pattern: Pattern) -> None:
    from matplotlib.patches import Rectangle

    if len(pattern.components) > _MOST_FRAMES:
        return
    for first, last in pattern.components.tolist():
        size = last - first + 1
        frame = Rectangle(
            (first + 0.5, first + 0.5), size, size, fill=False, edgecolor=style.INK, linewidth=0.7
        )
        axes.add_patch(frame)


def _legend(figure: Figure, pattern: Pattern) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=word) for word, colour in _WORDS]
    if 0 < len(pattern.components) <= _MOST_FRAMES:
        frame = Patch(facecolor="none", edgecolor=style.INK, label="component of several states")
        handles.append(frame)
    width = pattern.states_a_cell
    legend = figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=len(handles),
        frameon=False,
        fontsize=style.TICK_SIZE,
        title=f"a dot stands for {width} x {width} entries, darker where more are there"
        if width > 1
        else None,
        title_fontsize=style.NOTE_SIZE,
        alignment="left",
    )
    for text in [*legend.get_texts(), legend.get_title()]:
        text.set_color(style.MUTED)
