"""What happened to the cache, and how old and how large its traces are: a row of panels a tier."""

from __future__ import annotations

from collections.abc import Mapping, Set
from textwrap import shorten, wrap
from typing import TYPE_CHECKING

from .. import trace_cache, trace_stores
from . import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..trace_cache import CacheUse

_WELCOME = {"hits", "saved"}
_LONGEST_PATH, _LONGEST_PROBLEM = 60, 300


def plot_cache_use(uses: Mapping[str, CacheUse] | None = None) -> Figure:
    """Draws hits, misses and what else was counted, and the ages and sizes of traces, by tier.

    Args:
        uses: by the name of the tier, as `phasic.trace_cache.get_cache_use` gives them; None: those
            of all tiers that are configured.

    Returns:
        A Matplotlib figure; `save_figure` writes it.

    Raises:
        DependencyError: Matplotlib is not installed.
        CacheError: the local cache cannot be read.

    Example:
        >>> from phasic.plots import plot_cache_use
        >>> [axes.get_title("left") for axes in plot_cache_use().axes]
        ['what happened', 'age since last use', 'size']
    """
    if uses is None:
        uses = {tier: trace_cache.get_cache_use(tier) for tier in trace_stores.tiers()}
    figure = style.new_figure(9.6, 0.4 + 3.6 * len(uses))
    rows = figure.subfigures(len(uses), 1, squeeze=False)[:, 0]
    for row, (tier, use) in zip(rows, uses.items(), strict=True):
        row.set_facecolor("white")
        panels = row.subplots(1, 3, width_ratios=(1.15, 1, 1))
        unwelcome = use["counts"].keys() - _WELCOME
        _bars(panels[0], "what happened", use["counts"], unwelcome)
        if use["problem"] is None:
            _bars(panels[1], "age since last use", use["ages"])
            _bars(panels[2], "size", use["sizes"])
        else:
            for panel in panels[1:]:
                panel.set_axis_off()
            _say(panels[1], use["problem"])
        row.suptitle(
            f"Cache: {tier}\n",
            x=0.012,
            ha="left",
            fontsize=style.TITLE_SIZE,
            color=style.INK,
            fontweight="bold",
        )
        row.text(
            0.012, 0.9, _note(use), fontsize=style.NOTE_SIZE, color=style.MUTED, va="top", ha="left"
        )
    return figure


def _note(use: CacheUse) -> str:
    path = use["directory"]
    if len(path) > _LONGEST_PATH:
        path = "…" + path[1 - _LONGEST_PATH :]
    path = _plain(path)
    if use["problem"] is not None:
        return path
    counts = use["counts"]
    asked = counts["hits"] + counts["misses"]
    parts = [path, f"{use['traces']:,} traces", _bytes(use["bytes"])]
    if asked:
        # Rounded down: 100 % are all.
        parts.append(f"{1000 * counts['hits'] // asked / 10:g} % of {asked:,} found")
    return "   ·   ".join(parts)


def _plain(text: str) -> str:
    """Without the signs between which Matplotlib sees mathematics."""
    return text.replace("$", r"\$")


def _say(axes: Axes, problem: str) -> None:
    lines = wrap(f"cannot be asked: {shorten(problem, _LONGEST_PROBLEM, placeholder=' …')}", 60)
    words = _plain("\n".join(lines))
    axes.text(0, 1, words, fontsize=style.TICK_SIZE, color=style.INK, va="top", ha="left")


def _bytes(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:,.3g} TiB"


def _bars(
    axes: Axes, title: str, counts: Mapping[str, int], marked: Set[str] = frozenset()
) -> None:
    """A bar and a number for each name, from top to bottom; those of marked names stand out."""
    names = [name.replace("_", " ").replace(">=", "≥") for name in counts]
    values = list(counts.values())
    largest = max(values) or 1
    colours = [style.ORANGE if name in marked else style.BLUE for name in counts]
    at = range(len(values))
    axes.barh(at, values, height=0.68, color=colours, alpha=0.75, linewidth=0)
    for place, value in zip(at, values, strict=True):
        axes.annotate(
            f"{value:,}",
            (value, place),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=style.TICK_SIZE,
            color=style.INK if value else style.MUTED,
            va="center",
        )
    axes.set_yticks(at, names)
    axes.set_ylim(len(values) - 0.4, -0.6)
    # Room for a number at the end of the longest bar.
    axes.set_xlim(0, largest * (1.15 + 0.05 * len(f"{largest:,}")))
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines[["left"]].set_color(style.GREY)
    axes.tick_params(colors=style.INK, labelsize=style.TICK_SIZE, length=0)
    axes.set_title(title, loc="left", fontsize=style.LABEL_SIZE, color=style.INK)
