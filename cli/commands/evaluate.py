"""`phasic evaluate`: moments, variance and gradients for one theta or a stream of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phasic.cli.errors import UsageError
from phasic.cli.options import (
    ArgOption,
    DiscreteOption,
    JsonOption,
    MaxVerticesOption,
    SourceArgument,
)
from phasic.cli.results import Records, Result
from phasic.cli.session import Session, session_of
from phasic.errors import NumericError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from phasic.cli.thetas import Chunk, Shard
    from phasic.trace_elimination import EliminationTrace


@dataclass(frozen=True)
class _Wanted:
    """What is to be computed for each theta."""

    order: int
    gradient: bool
    variance: bool
    rewards: NDArray[np.float64] | None


def evaluate(
    context: typer.Context,
    source: SourceArgument,
    theta: Annotated[
        str | None,
        typer.Option(
            "--theta",
            metavar="X[,Y...]",
            help="One theta, a number for each parameter.",
        ),
    ] = None,
    thetas: Annotated[
        str | None,
        typer.Option(
            "--thetas",
            metavar="FILE|-",
            help="Many thetas, one a line: CSV, TSV, spaces or JSON lines, or a .npy array.",
        ),
    ] = None,
    moments: Annotated[
        int, typer.Option("--moments", metavar="K", min=1, help="Moments of order 1 to K.")
    ] = 2,
    grad: Annotated[
        bool, typer.Option("--grad", help="Also the derivatives of all moments by theta.")
    ] = False,
    variance: Annotated[
        bool,
        typer.Option("--variance", help="Also the variance, without cancellation of moments."),
    ] = False,
    rewards: Annotated[
        str | None,
        typer.Option(
            "--rewards",
            metavar="FILE",
            help="A reward for each vertex, one a line, in the order of `inspect --states`.",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard", metavar="I/N", help="Only the rows r of --thetas with r mod N = I."
        ),
    ] = None,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """Moments of the time to absorption, for one theta or for each line of a file.

    On a pipe one JSON object a line: row (from 0), theta, moments; with --grad the gradient, a row
    for each moment; with --variance the variance. Numbers keep all their digits.

    \b
    Examples:
      phasic evaluate model.py --theta 1.0 --moments 4 --grad
      phasic evaluate KEY --theta 1.0,0.5
      phasic record model.py | phasic evaluate - --thetas thetas.csv > out.jsonl
      seq 1 100 | phasic evaluate model.trace --thetas - --json
      phasic evaluate KEY --thetas t.csv --shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT
    """
    from phasic.cli.model_source import ModelOptions
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
    session = session_of(context)
    trace = open_trace(session, source, ModelOptions.of(arg, max_vertices, discrete)).trace
    wanted = _Wanted(moments, grad, variance, _read_rewards(rewards, trace.n_vertices))
    if thetas is not None:
        chunks = _chunks(session, thetas, trace.n_parameters, part)
    elif theta is None and trace.n_parameters:
        raise UsageError(
            f"theta is needed: the model has {trace.n_parameters} parameters",
            code="THETA_NOT_SET",
            hint="as in --theta 1.0,0.5 (a number for each), or --thetas FILE",
        )
    else:
        chunks = iter([parse_theta(theta or "", trace.n_parameters)])
    return Result(Records(_records(trace, chunks, wanted)))


def _chunks(session: Session, thetas: str, n_parameters: int, part: Shard) -> Iterator[Chunk]:
    from phasic.cli.thetas import open_thetas, read_thetas

    with open_thetas(thetas, session.streams.stdin) as (name, stream):
        yield from read_thetas(name, stream, n_parameters, part)


def _read_rewards(path: str | None, n_vertices: int) -> NDArray[np.float64] | None:
    if path is None:
        return None
    import numpy as np

    from phasic.cli.thetas import Shard, open_numbers, read_thetas
    from phasic.errors import FormatError

    with open_numbers(path, "--rewards takes a file") as stream:
        chunks = list(read_thetas(path, stream, 1, Shard()))
    values = np.concatenate([chunk.thetas[:, 0] for chunk in chunks]) if chunks else np.empty(0)
    if values.size != n_vertices:
        raise FormatError(
            f"{path} has {values.size} rewards, expected {n_vertices}: one for each vertex",
            code="REWARDS_LENGTH",
            hint="`phasic inspect --states` lists the vertices in order",
        )
    return values


def _records(
    trace: EliminationTrace, chunks: Iterator[Chunk], wanted: _Wanted
) -> Iterator[Mapping[str, Any]]:
    for chunk in chunks:
        try:
            made = _evaluate(trace, chunk.thetas, wanted)
        except NumericError:
            # One theta of the chunk is bad: those before it are answered, and it is named.
            yield from _one_by_one(trace, chunk, wanted)
            raise
        yield from _rows(chunk.rows, made)


def _one_by_one(
    trace: EliminationTrace, chunk: Chunk, wanted: _Wanted
) -> Iterator[Mapping[str, Any]]:
    for number, (row, place) in enumerate(zip(chunk.rows, chunk.places, strict=True)):
        try:
            made = _evaluate(trace, chunk.thetas[number : number + 1], wanted)
        except NumericError as error:
            where = f" ({place})" if place else ""
            raise NumericError(error.message + where, code=error.code, hint=error.hint) from None
        yield from _rows([row], made)


def _evaluate(
    trace: EliminationTrace, thetas: NDArray[np.float64], wanted: _Wanted
) -> dict[str, list[Any]]:
    """Columns of the answer, by name, one entry a theta."""
    import numpy as np

    made: dict[str, list[Any]] = {"theta": thetas.tolist()}
    answer = trace.moments(thetas, wanted.order, wanted.rewards, gradient=wanted.gradient)
    if isinstance(answer, tuple):
        made["moments"], made["gradient"] = (values.tolist() for values in answer)
    else:
        made["moments"] = answer.tolist()
    if wanted.variance:
        rewards = np.ones(trace.n_vertices) if wanted.rewards is None else wanted.rewards
        made["variance"] = trace.covariances(thetas, rewards[np.newaxis])[1][:, 0, 0].tolist()
    return made


def _rows(rows: list[int], made: dict[str, list[Any]]) -> Iterator[Mapping[str, Any]]:
    names = tuple(made)
    for row, values in zip(rows, zip(*made.values(), strict=True), strict=True):
        yield {"row": row, **dict(zip(names, values, strict=True))}
