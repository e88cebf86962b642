"""`phasic cache plot`: what `phasic cache info` says, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Result, Value


def plot_use(
    context: typer.Context,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to, a name that ends in .png or .svg."
        ),
    ] = Path("phasic-cache.png"),
    as_json: JsonOption = False,
) -> Result:
    """Draw hits, misses and what else happened to the cache, and the ages and sizes of traces.

    There is a row for this machine's cache and one for each that is configured behind it. Prints
    the path of the picture. What is counted is as `phasic cache info` says.

    \b
    Needs Matplotlib: pip install 'phasic[plot]'

    \b
    Examples:
      phasic cache plot
      phasic cache plot -o cache.svg
    """
    from phasic.plots import plot_cache_use, save_figure
    from phasic.plots.files import check_format

    check_format(output)
    save_figure(plot_cache_use(), output)
    return Result(Value("path", str(output)))
