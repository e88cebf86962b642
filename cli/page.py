"""One page of HTML that needs nothing but itself: no script, no network. It escapes all text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

_STYLE = """
:root { color: #1f2933; background: #fff; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #e4e9ef; }
p.note, figcaption { color: #5f6c7b; font-size: .9rem; }
table { border-collapse: collapse; font-size: .92rem; }
th, td { padding: .2rem 1.2rem .2rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; }
td { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
tr + tr { border-top: 1px solid #e4e9ef; }
figure { margin: 1rem 0; }
svg { max-width: 100%; height: auto; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


@dataclass
class Page:
    """A page that is written from top to bottom."""

    title: str
    _parts: list[str] = field(default_factory=list)

    def heading(self, text: str) -> None:
        """Begins a section."""
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def note(self, text: str) -> None:
        """A line of small print."""
        self._parts.append(f'<p class="note">{escape(text)}</p>')

    def fields(self, fields: Mapping[str, Any]) -> None:
        """Names with values."""
        self._rows("", ((name, value) for name, value in fields.items()))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Rows under columns."""
        heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
        self._rows(f"<thead><tr>{heads}</tr></thead>", rows)

    def _rows(self, head: str, rows: Iterable[Sequence[Any]]) -> None:
        lines = []
        for first, *others in rows:
            cells = "".join(f"<td>{escape(shown(value))}</td>" for value in others)
            lines.append(f'<tr><th scope="row">{escape(shown(first))}</th>{cells}</tr>')
        body = "\n".join(lines)
        self._parts.append(f"<table>{head}<tbody>\n{body}\n</tbody></table>")

    def picture(self, svg: str, caption: str) -> None:
        """An `<svg>` element, which `phasic.plots.svg_element` made, and what it shows."""
        label = escape(caption)
        self._parts.append(
            f'<figure role="img" aria-label="{label}">\n{svg}\n<figcaption>{label}</figcaption>'
            "</figure>"
        )

    def html(self) -> str:
        """All of it."""
        return _PAGE.format(title=escape(self.title), style=_STYLE, body="\n".join(self._parts))


def shown(value: Any) -> str:
    """A cell: twelve digits of numbers, thousands apart in whole ones."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.12g}"
    return str(value)
