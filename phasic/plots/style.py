"""How pictures look: colours, sizes, and axes without clutter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1f2933"
MUTED = "#5f6c7b"
GRID = "#e4e9ef"
BLUE = "#2463a6"
PALE_BLUE = "#e8f0f9"
ORANGE = "#c8601f"
PALE_ORANGE = "#fcefe6"
GREY = "#b4bec9"

MINUS = "\N{MINUS SIGN}"

LABEL_SIZE = 10.5
TICK_SIZE = 9.5
NOTE_SIZE = 9.0
TITLE_SIZE = 13.0
_PAD = 0.14  # inches around the picture


def new_figure(width: float, height: float, layout: str | None = "constrained") -> Figure:
    """An empty figure of so many inches.

    Raises:
        DependencyError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError(
            "pictures need Matplotlib, which is not installed",
            code="MATPLOTLIB_MISSING",
            hint="pip install 'phasic[plot]'",
        ) from error
    figure = Figure(figsize=(width, height), layout=layout, facecolor="white")  # type: ignore[arg-type]
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(w_pad=_PAD, h_pad=_PAD)  # type: ignore[call-arg]
    return figure


def plain_axes(figure: Figure, title: str, note: str, x_label: str, y_label: str) -> Axes:
    """One pair of axes with a title, a line of small print under it, and named units."""
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=MUTED, labelsize=TICK_SIZE, length=3, which="both")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    # In place of a factor above the axis, which would stand on the small print.
    axes.yaxis.set_major_formatter(lambda value, _: number(value))
    axes.set_xlabel(x_label, fontsize=LABEL_SIZE, color=INK, labelpad=6)
    axes.set_ylabel(y_label, fontsize=LABEL_SIZE, color=INK, labelpad=8)
    axes.set_title(title, loc="left", fontsize=TITLE_SIZE, color=INK, pad=26, fontweight="bold")
    axes.annotate(
        note,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 9),
        textcoords="offset points",
        fontsize=NOTE_SIZE,
        color=MUTED,
    )
    return axes


def heading(figure: Figure, title: str, note: str) -> None:
    """A title with a line of small print under it, above several pairs of axes."""
    # What is placed by the layout is the pair: an empty title that is as high as both.
    room = figure.suptitle(" \n ", x=0.0, ha="left", fontsize=TITLE_SIZE, linespacing=1.3)
    room.set_in_layout(True)
    width, height = figure.get_size_inches()
    left, top = 0.14 / width, 1 - 0.14 / height
    line = 20 / 72 / height
    figure.text(
        left, top, title, fontsize=TITLE_SIZE, color=INK, fontweight="bold", va="top", ha="left"
    )
    figure.text(left, top - line, note, fontsize=NOTE_SIZE, color=MUTED, va="top", ha="left")


def number(value: float, digits: int = 4) -> str:
    """So many digits at most, for people."""
    return f"{value:.{digits}g}".replace("-", MINUS)


def theta_note(theta: object) -> str:
    """`θ = (1, 0.5)`; empty where there are no parameters."""
    values = [number(float(value)) for value in theta]  # type: ignore[attr-defined]
    if not values:
        return ""
    if len(values) > 6:
        values = [*values[:5], "…"]
    return f"θ = {values[0]}" if len(values) == 1 else f"θ = ({', '.join(values)})"
