"""`phasic plot`: a function of a distribution, or the states of a model, as a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phasic.cli.errors import UsageError
from phasic.cli.options import (
    ArgOption,
    DataOption,
    DiscreteOption,
    EpochOption,
    JsonOption,
    MaxVerticesOption,
    RewardColumnsOption,
    SourceArgument,
    TitleOption,
)
from phasic.cli.results import Result, Value
from phasic.cli.session import session_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from phasic.distribution import Distribution
    from phasic.epochs import EpochDistribution
    from phasic.trace_elimination import EliminationTrace


class What(StrEnum):
    """What is drawn."""

    PDF = "pdf"
    CDF = "cdf"
    SF = "sf"
    HAZARD = "hazard"
    PMF = "pmf"
    GRAPH = "graph"
    SPECTRUM = "spectrum"
    COVARIANCE = "covariance"


_OF_SPECTRA = (What.SPECTRUM, What.COVARIANCE)


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
    data: DataOption = None,
    epoch: EpochOption = None,
    rewards: RewardColumnsOption = None,
    mutation_rate: Annotated[
        float | None,
        typer.Option(
            "--mutation-rate",
            metavar="X",
            min=0.0,
            help="Of spectrum and covariance: numbers of mutations at this rate per unit of branch"
            " length, in place of that length.",
        ),
    ] = None,
    title: TitleOption = None,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """Draw the density, another function, the states of a model, or a site-frequency spectrum.

    Prints the path of the picture, PNG or SVG. Axes are logarithmic where times span orders of
    magnitude. The graph has its states in layers by their distance from the start, at most 60 of
    them. The spectrum has means and standard deviations of what each column of --rewards collects,
    covariance their covariances; without --rewards, of each entry of the state, those left out that
    are 0 until absorption.

    \b
    Needs Matplotlib: pip install 'phasic[plot]'

    \b
    Examples:
      phasic plot model.py --theta 1.0
      phasic plot model.py --theta 1.0 --what cdf --data observed.csv -o fit.svg
      phasic plot model.py --theta 1.0 --what hazard --times 0:5:201
      phasic plot phasic.models.coalescent:kingman --arg n=5 --what graph -o states.png
      phasic plot phasic.models.coalescent:site_frequency --arg n=10 --theta 1 --what spectrum
      phasic plot KEY --theta 1 --what covariance --rewards classes.csv --mutation-rate 0.5
    """
    from phasic.cli.model_source import ModelOptions
    from phasic.cli.trace_source import open_trace
    from phasic.plots.files import check_format, save_figure

    for option, given, absent in (
        ("--times", times, (What.GRAPH, *_OF_SPECTRA)),
        ("--data", data, (What.GRAPH, *_OF_SPECTRA)),
        ("--rewards", rewards, (What.GRAPH,)),
        ("--epoch", epoch, (What.GRAPH,)),
        ("--mutation-rate", mutation_rate, [other for other in What if other not in _OF_SPECTRA]),
    ):
        if given is not None and (what in absent or (what is None and What.PDF in absent)):
            place = ", ".join(other for other in What if other not in absent)
            raise UsageError(
                f"{option} has no place in --what {what or What.PDF}",
                code="USAGE",
                hint=f"it goes with --what {place}",
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
        distribution = _distribution(trace, theta, epoch or [])
        if what in _OF_SPECTRA:
            figure = _spectrum(distribution, what, rewards, mutation_rate, title)
        else:
            figure = _function(distribution, what, times, data, rewards, title)
    path = output or Path(f"phasic-{what}.png")
    save_figure(figure, path)
    return Result(Value("path", str(path), {"what": str(what)}))


def _graph(trace: EliminationTrace, theta: str | None, title: str | None) -> Figure:
    from phasic.cli.thetas import parse_theta
    from phasic.plots import plot_graph

    formulas = theta is None and trace.n_parameters > 0
    at = None if formulas else parse_theta(theta, trace.n_parameters).thetas[0]
    return plot_graph(trace, at, title=title)


def _distribution(
    trace: EliminationTrace, theta: str | None, epoch: list[str]
) -> Distribution | EpochDistribution:
    from phasic.cli.questions import read_epochs
    from phasic.cli.thetas import parse_theta
    from phasic.distribution import Distribution
    from phasic.epochs import EpochDistribution

    at = parse_theta(theta, trace.n_parameters).thetas[0]
    changes = read_epochs(epoch, trace.n_parameters)
    return EpochDistribution(trace, at, changes) if changes else Distribution(trace, at)


def _function(
    distribution: Distribution | EpochDistribution,
    what: What,
    times: str | None,
    data: str | None,
    rewards: str | None,
    title: str | None,
) -> Figure:
    from phasic.cli.number_lines import parse_numbers
    from phasic.cli.questions import read_observations
    from phasic.cli.rewards import read_rewards
    from phasic.plots import plot_function

    observed, weights = (None, None) if data is None else read_observations("--data", data)
    n_vertices = distribution.trace.n_vertices
    return plot_function(
        distribution,
        str(what),
        None if times is None else parse_numbers("--times", times),
        rewards=None if rewards is None else read_rewards(rewards, n_vertices),
        data=observed,
        weights=weights,
        title=title,
    )


def _spectrum(
    distribution: Distribution | EpochDistribution,
    what: What,
    rewards: str | None,
    mutation_rate: float | None,
    title: str | None,
) -> Figure:
    from phasic.cli.rewards import read_reward_rows, state_rewards
    from phasic.plots import plot_covariance, plot_spectrum

    labels = None
    if rewards is None:
        rows, labels = state_rewards(distribution.trace)
    else:
        rows = read_reward_rows(rewards, distribution.trace.n_vertices)
    draw = plot_spectrum if what is What.SPECTRUM else plot_covariance
    return draw(distribution, rows, mutation_rate=mutation_rate, labels=labels, title=title)
