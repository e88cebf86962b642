"""Figures as files."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
_DOTS_PER_INCH = 200


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


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Writes a PNG or SVG file, by the end of its name.

    Raises:
        ConfigError: it ends in something else.
        OSError: it cannot be written.
    """
    suffix = check_format(path)
    # Without the date the same figure is the same file.
    metadata: dict[str, Any] = {"Date": None} if suffix == "svg" else {}
    drawn = BytesIO()
    figure.savefig(drawn, format=suffix, dpi=_DOTS_PER_INCH, metadata=metadata)
    # Drawing takes long; a drawing that is broken off leaves no file.
    Path(path).write_bytes(drawn.getvalue())
