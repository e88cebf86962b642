"""`phasic evaluate`: what a distribution is at one theta, or at each of a stream of them."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phasic.cli.errors import UsageError
from phasic.cli.functions import offers_functions
from phasic.cli.options import (
    ArgOption,
    DiscreteOption,
    EpochOption,
    IntervalsOption,
    JsonOption,
    MaxVerticesOption,
    RewardColumnsOption,
    RightCensoredOption,
    SourceArgument,
    ThetaOption,
)
from phasic.cli.results import Records, Result
from phasic.cli.session import Session, session_of

if TYPE_CHECKING:
    from phasic.cli.thetas import Chunk, Shard


class Method(StrEnum):
    """How values of the density functions are found; see the library."""

    AUTO = "auto"
    UNIFORMISE = "uniformise"
    CONTOUR = "contour"
    DENSE = "dense"


@offers_functions
def evaluate(
    context: typer.Context,
    source: SourceArgument,
    theta: ThetaOption = None,
    thetas: Annotated[
        str | None,
        typer.Option(
            "--thetas",
            metavar="FILE|-",
            help="Many thetas, one a line: CSV, TSV, spaces or JSON lines, or a .npy array.",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="I/N",
            help="Only the rows r of --thetas with r mod N = I. In a job array give N as a number: "
            "$SLURM_ARRAY_TASK_COUNT changes when only a part of the array is run again.",
        ),
    ] = None,
    epoch: EpochOption = None,
    rewards: RewardColumnsOption = None,
    grad: Annotated[
        bool,
        typer.Option(
            "--grad",
            help="Also the derivatives by theta; under --epoch, by the theta of each epoch.",
        ),
    ] = False,
    method: Annotated[
        Method | None,
        typer.Option("--method", help="Of the density functions.  [default: auto]"),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance",
            metavar="X",
            help="Relative error that they may have; it is an error where they cannot keep it.",
        ),
    ] = None,
    moments: Annotated[
        int | None,
        typer.Option(
            "--moments",
            metavar="K",
            min=1,
            help="Moments of order 1 to K.  [default: 2 where no function is asked for]",
        ),
    ] = None,
    variance: Annotated[
        bool,
        typer.Option("--variance", help="Also the variance, without cancellation of moments."),
    ] = False,
    right_censored: RightCensoredOption = None,
    intervals: IntervalsOption = None,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
    **asked: Any,
) -> Result:
    """Moments, densities and all else of the time to absorption, for one theta or many.

    \b
    Lists (T, K, P, S, Z) are numbers with commas between them, START:STOP:COUNT, which is COUNT
    numbers from START to STOP, or @FILE. They may be in any order.

    \b
    Without a function (--pdf and the like) the first two moments are given; with one, moments only
    where --moments asks for them. On a pipe there is one JSON object a line:
      row (from 0), theta, moments, gradient (a row for each moment), variance, then one object a
      function, as "pdf": {"t": [...], "value": [...], "bound": [...], "method": [...],
      "kind": [...], "gradient": [[...], ...]}.
    With --grad a number alone, as skewness, is {"value": ..., "gradient": [...]}; under --epoch
    derivatives have a row for each epoch. bound is a bound on the relative error; kind says whether
    it is certified or verified. With several columns in --rewards, functions of one reward are
    lists with an entry for each column. Data are those of --loglik. Numbers keep all their digits.

    \b
    Examples:
      phasic evaluate model.py --theta 1.0 --moments 4 --grad
      phasic evaluate model.py --theta 1.0 --pdf 0.5,1,2 --sf 0:10:101 --json
      phasic evaluate model.py --theta 1.0 --quantile 0.025,0.5,0.975
      phasic evaluate model.py --theta 1.0 --epoch 0.5:2.0 --cdf @times.txt
      phasic evaluate model.py --theta 1.0 --loglik observed.csv --grad
      phasic record model.py | phasic evaluate - --thetas thetas.csv > out.jsonl
      seq 1 100 | phasic evaluate model.trace --thetas - --json
      phasic evaluate KEY --thetas t.csv --shard $SLURM_ARRAY_TASK_ID/10
    """
    from phasic.cli.answers import answer
    from phasic.cli.model_source import ModelOptions
    from phasic.cli.questions import Questions, check, read_asked, read_censored, read_epochs
    from phasic.cli.rewards import read_reward_rows
    from phasic.cli.thetas import Shard, parse_theta
    from phasic.cli.trace_source import open_trace

    if theta is not None and thetas is not None:
        raise UsageError(
            "--theta and --thetas are both given", code="USAGE", hint="give one of them"
        )
    if thetas is None and shard is not None:
        raise UsageError(
            "--shard divides the rows of --thetas", code="USAGE", hint="leave it out with --theta"
        )
    if source == "-" and thetas == "-":
        raise UsageError(
            "the key and the thetas cannot both come from standard input",
            code="USAGE",
            hint="put the thetas into a file, or the key on the command line",
        )
    part = Shard() if shard is None else Shard.parse(shard)
    functions = read_asked(asked)
    options = {"method": method.value if method else None, "tolerance": tolerance}
    session = session_of(context)
    trace = open_trace(session, source, ModelOptions.of(arg, max_vertices, discrete)).trace
    questions = Questions(
        order=(0 if functions else 2) if moments is None else moments,
        variance=variance,
        gradient=grad,
        rewards=None if rewards is None else read_reward_rows(rewards, trace.n_vertices),
        epochs=read_epochs(epoch or (), trace.n_parameters),
        functions=functions,
        options={name: value for name, value in options.items() if value is not None},
        censored=read_censored(right_censored, intervals),
    )
    check(questions)
    if thetas is not None:
        chunks = _chunks(session, thetas, trace.n_parameters, part)
    else:
        chunks = iter([parse_theta(theta, trace.n_parameters)])
    return Result(Records(answer(trace, chunks, questions)))


def _chunks(session: Session, thetas: str, n_parameters: int, part: Shard) -> Iterator[Chunk]:
    from phasic.cli.thetas import open_thetas, read_thetas

    with open_thetas(thetas, session.streams.stdin) as (name, stream):
        yield from read_thetas(name, stream, n_parameters, part)
