"""`phasic plot`: a function of a distribution, or the states of a model, as a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phasic.cli.errors import UsageError
from phasic.cli.options import (
    ArgOption,
    DiscreteOption,
    EpochOption,
    JsonOption,
    MaxVerticesOption,
    RewardsOption,
    SourceArgument,
)
from phasic.cli.results import Result, Value
from phasic.cli.session import session_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from phasic.trace_elimination import EliminationTrace


class What(StrEnum):
    """What is drawn."""

    PDF = "pdf"
    CDF = "cdf"
    SF = "sf"
    HAZARD = "hazard"
    PMF = "pmf"
    GRAPH = "graph"


def plot(
    context: typer.Context,
    source: SourceArgument,
    theta: Annotated[
        str | None,
        typer.Option(
            "--theta",
            metavar="X[,Y...]",
            help="A number for each parameter. Without, --what graph shows rates as formulas.",
        ),
    ] = None,
    what: Annotated[
        What | None,
        typer.Option("--what", help="What to draw.  [default: pdf, or pmf of a discrete model]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to, a name that ends in .png or .svg.  [default: phasic-WHAT.png]",
        ),
    ] = None,
    times: Annotated[
        str | None,
        typer.Option(
            "--times",
            metavar="START:STOP:COUNT",
            help="Where the curve is computed; any list as `evaluate` takes it.  [default: as"
            " densely as the curve needs, between the quantiles 0.001 and 0.999]",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Observations to draw beside it, one a line; a second column has their weights.",
        ),
    ] = None,
    epoch: EpochOption = None,
    rewards: RewardsOption = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Above the picture.")
    ] = None,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """Draw the density, another function, or the states of a model, as PNG or SVG.

    Prints the path of the picture. Axes are logarithmic where times span orders of magnitude. The
    graph has its states in layers by their distance from the start, at most 60 of them.

    \b
    Needs Matplotlib: pip install 'phasic[plot]'

    \b
    Examples:
      phasic plot model.py --theta 1.0
      phasic plot model.py --theta 1.0 --what cdf --data observed.csv -o fit.svg
      phasic plot model.py --theta 1.0 --what hazard --times 0:5:201
      phasic plot phasic.models.coalescent:kingman --arg n=5 --what graph -o states.png
    """
    from phasic.cli.model_source import ModelOptions
    from phasic.cli.trace_source import open_trace
    from phasic.plots.files import check_format, save_figure

    for option, given in (
        ("--times", times),
        ("--data", data),
        ("--rewards", rewards),
        ("--epoch", epoch),
    ):
        if what is What.GRAPH and given:
            raise UsageError(
                f"{option} has no place in a graph", code="USAGE", hint="it goes with a function"
            )
    if output is not None:
        check_format(output)
    trace = open_trace(
        session_of(context), source, ModelOptions.of(arg, max_vertices, discrete)
    ).trace
    if what is None:
        what = What.PMF if trace.discrete else What.PDF
    if what is What.GRAPH:
        figure = _graph(trace, theta, title)
    else:
        figure = _function(trace, what, theta, times, data, epoch or [], rewards, title)
    path = output or Path(f"phasic-{what}.png")
    save_figure(figure, path)
    return Result(Value("path", str(path), {"what": str(what)}))


def _graph(trace: EliminationTrace, theta: str | None, title: str | None) -> Figure:
    from phasic.cli.thetas import parse_theta
    from phasic.plots import plot_graph

    formulas = theta is None and trace.n_parameters > 0
    at = None if formulas else parse_theta(theta, trace.n_parameters).thetas[0]
    return plot_graph(trace, at, title=title)


def _function(
    trace: EliminationTrace,
    what: What,
    theta: str | None,
    times: str | None,
    data: str | None,
    epoch: list[str],
    rewards: str | None,
    title: str | None,
) -> Figure:
    from phasic.cli.number_lines import parse_numbers
    from phasic.cli.questions import read_epochs, read_observations
    from phasic.cli.rewards import read_rewards
    from phasic.cli.thetas import parse_theta
    from phasic.distribution import Distribution
    from phasic.epochs import EpochDistribution
    from phasic.plots import plot_function

    at = parse_theta(theta, trace.n_parameters).thetas[0]
    changes = read_epochs(epoch, trace.n_parameters)
    observed, weights = (None, None) if data is None else read_observations("--data", data)
    return plot_function(
        EpochDistribution(trace, at, changes) if changes else Distribution(trace, at),
        str(what),
        None if times is None else parse_numbers("--times", times),
        rewards=None if rewards is None else read_rewards(rewards, trace.n_vertices),
        data=observed,
        weights=weights,
        title=title,
    )
