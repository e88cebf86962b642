"""How objects show themselves in notebooks: a small table of HTML, and a drawing where it is small.

What is made needs nothing but itself, and all text in it is escaped. Objects answer `_repr_html_`
with it, for which nothing is explored or recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from .errors import PhasicError

# Of tables that grow with the object, and of lists within a cell.
MOST_ROWS, MOST_ENTRIES = 20, 8
# Larger graphs are not drawn by themselves.
MOST_DRAWN_VERTICES, MOST_DRAWN_EDGES = 20, 60

_CELL = 'style="text-align:left;padding:.1em .9em .1em 0"'
# Matplotlib's pictures have no style sheet here: lines inherit how they join.
_FRAME = '<div style="stroke-linejoin:round;stroke-linecap:butt;overflow-x:auto">'


def shown(
    title: str,
    rows: Iterable[Sequence[Any]],
    *,
    columns: Sequence[str] = (),
    note: str = "",
    drawing: Callable[[], str] | None = None,
) -> str:
    """The HTML of an object.

    Args:
        title: what it is.
        rows: a name and values each.
        columns: over the rows, one for each entry.
        note: a line under them.
        drawing: makes an `<svg>` element; what it raises of ours is told in its place.

    Example:
        >>> from phasic.notebook import shown
        >>> "&lt;b&gt;" in shown("<b>", [("mean", 1.5)])
        True
    """
    head = "".join(f"<th {_CELL}>{_cell(name)}</th>" for name in columns)
    lines = [f"<tr>{head}</tr>"] if columns else []
    for first, *others in rows:
        cells = "".join(f"<td {_CELL}>{_cell(value)}</td>" for value in others)
        lines.append(f"<tr><th {_CELL}>{_cell(first)}</th>{cells}</tr>")
    parts = [f"<div><b>{_cell(title)}</b></div>", f"<table>{''.join(lines)}</table>"]
    if note:
        parts.append(f"<div>{_cell(note)}</div>")
    if drawing is not None:
        parts.append(_drawn(drawing))
    return f"{_FRAME}{''.join(parts)}</div>"


def entries(values: Sequence[Any]) -> str:
    """The first few of many."""
    texts = [_text(value) for value in values[:MOST_ENTRIES]]
    if len(values) > MOST_ENTRIES:
        texts.append(f"… ({len(values):,} in all)")
    return ", ".join(texts)


def _drawn(drawing: Callable[[], str]) -> str:
    try:
        return drawing()
    except PhasicError as error:
        hint = f" ({error.hint})" if error.hint else ""
        message = error.message.removeprefix("FATAL: ")
        return f"<div>{_cell(f'not drawn: {message}{hint}')}</div>"


def _cell(value: Any) -> str:
    return escape(_text(value))


def _text(value: Any) -> str:
    match value:
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.6g}"
    return str(value)
