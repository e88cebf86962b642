"""`phasic report`: a model at one theta as one page of HTML."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from phasic.cli.options import (
    ArgOption,
    DataOption,
    DiscreteOption,
    EpochOption,
    JsonOption,
    MaxVerticesOption,
    RewardsOption,
    SourceArgument,
    ThetaOption,
    TitleOption,
)
from phasic.cli.results import Result, Value
from phasic.cli.session import session_of


def report(
    context: typer.Context,
    source: SourceArgument,
    theta: ThetaOption = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="Where to."),
    ] = Path("report.html"),
    data: DataOption = None,
    epoch: EpochOption = None,
    rewards: RewardsOption = None,
    title: TitleOption = None,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """Write one page about a model: size, moments, density, quantiles, data, states.

    The page is a single file that needs no network and no script. It has the size of the model,
    moments, pictures of the density and the distribution function, quantiles, the picture of the
    states if they are 60 at most, and with --data a histogram and the log-likelihood. With
    --rewards it is of what they collect in place of time. Prints the path of the page.

    \b
    Needs Matplotlib: pip install 'phasic[plot]'

    \b
    Examples:
      phasic report model.py --theta 1.0 -o report.html
      phasic report model.py --theta 1.0 --data observed.csv -o fit.html
      phasic report model.py --theta 1.0 --epoch 0.5:2.0
      phasic report phasic.models.coalescent:kingman --arg n=5 --theta 1.0 --title 'Five lineages'
    """
    from phasic.cli.model_source import ModelOptions
    from phasic.cli.questions import read_epochs, read_observations
    from phasic.cli.report import write_report
    from phasic.cli.rewards import read_rewards
    from phasic.cli.thetas import parse_theta
    from phasic.cli.trace_source import open_trace
    from phasic.files import replacing

    options = ModelOptions.of(arg, max_vertices, discrete)
    observed = None if data is None else read_observations("--data", data)
    opened = open_trace(session_of(context), source, options)
    trace = opened.trace
    at = parse_theta(theta, trace.n_parameters).thetas[0]
    words = ["phasic", "report", source]
    words += [word for one in arg or () for word in ("--arg", one)]
    words += ["--max-vertices", str(max_vertices)] if max_vertices is not None else []
    words += ["--discrete"] if discrete else []
    words += ["--theta", theta] if theta is not None else []
    words += [word for one in epoch or () for word in ("--epoch", one)]
    words += ["--rewards", rewards] if rewards is not None else []
    words += ["--data", data] if data is not None else []
    page = write_report(
        opened,
        at,
        title or source,
        shlex.join(words),
        observed,
        epochs=read_epochs(epoch or (), trace.n_parameters),
        rewards=None if rewards is None else read_rewards(rewards, trace.n_vertices),
    )
    with replacing(str(output)) as stream:
        stream.write(page)
    return Result(Value("path", str(output), {"bytes": len(page.encode())}))
