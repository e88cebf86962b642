"""Figures as files."""

from __future__ import annotations

import hashlib
import os
import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
_DOTS_PER_INCH = 200
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def check_format(path: str | os.PathLike[str]) -> str:
    """The format that a path asks for by its end.

    Raises:
        ConfigError: it is none of `FORMATS`.
    """
    suffix = Path(path).suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise ConfigError(
            f"{os.fspath(path)} does not end in .png or .svg",
            code="PLOT_FORMAT",
            hint="name the file picture.png or picture.svg",
        )
    return suffix


def svg_element(figure: Figure, name: str | None = None) -> str:
    """The figure as an `<svg>` element for a page of HTML, which may hold several.

    Args:
        figure: any of this package's.
        name: the start of all its identifiers, so that no two figures share one; None: a hash of
            what is drawn.

    Returns:
        The element: no prologue, no comments, no address of anything outside it. The page sets
        `svg * { stroke-linejoin: round; stroke-linecap: butt }`, as the element has no style sheet.

    Example:
        >>> from phasic.models import coalescent
        >>> from phasic.plots import plot_function, svg_element
        >>> svg_element(plot_function(coalescent.kingman(5).at([1.0])), "density")[:4]
        '<svg'
    """
    text = StringIO()
    figure.savefig(text, format="svg", metadata=_NO_METADATA)
    left_out = r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>"
    svg = re.sub(left_out, "", text.getvalue(), flags=re.DOTALL)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' (?:xmlns(?::xlink)?|version)="[^"]*"', "", svg).replace("xlink:href", "href")
    if name is None:
        svg = _renamed(svg, "figure")
        name = f"figure-{hashlib.sha256(svg.encode()).hexdigest()[:12]}"
    return _renamed(svg, name).strip()


def _renamed(svg: str, name: str) -> str:
    """With identifiers in the order in which they stand, in place of Matplotlib's random ones."""
    renamed: dict[str, str] = {}
    for old in re.findall(r' id="([^"]*)"', svg):
        renamed.setdefault(old, f"{name}-{len(renamed)}")

    def rename(match: re.Match[str]) -> str:
        return f"{match[1]}{renamed[match[2]]}{match[3]}"

    return re.sub(r"""( id="|href="#|url\(#)([^")]*)(["\)])""", rename, svg)


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Writes a PNG or SVG file, by the end of its name.

    Raises:
        ConfigError: it ends in something else.
        OSError: it cannot be written.
    """
    suffix = check_format(path)
    drawn = BytesIO()
    # Without the date, and with identifiers that are not random, the same figure is the same file.
    metadata: dict[str, Any] = {"Date": None} if suffix == "svg" else {}
    figure.savefig(drawn, format=suffix, dpi=_DOTS_PER_INCH, metadata=metadata)
    data = drawn.getvalue()
    if suffix == "svg":
        data = _renamed(data.decode(), "phasic").encode()
    # Drawing takes long; a drawing that is broken off leaves no file.
    with replacing(path, "wb") as stream:
        stream.write(data)
