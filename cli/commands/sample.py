"""`phasic sample`: times, rewards, ends and whole paths drawn at one theta."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phasic.cli.errors import UsageError
from phasic.cli.options import (
    ArgOption,
    DiscreteOption,
    JsonOption,
    MaxVerticesOption,
    RewardsOption,
    SourceArgument,
    ThetaOption,
)
from phasic.cli.results import Records, Result, Table
from phasic.cli.session import session_of

if TYPE_CHECKING:
    from phasic.distribution import Distribution

# Drawn at once: results of any number come out as they are made.
_CHUNK_SAMPLES = 65_536
_CHUNK_PATHS = 1_024


def sample(
    context: typer.Context,
    source: SourceArgument,
    theta: ThetaOption = None,
    number: Annotated[
        int, typer.Option("-n", "--number", metavar="N", min=0, help="How many samples.")
    ] = 1,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="S",
            min=0,
            max=2**64 - 1,
            help="The same seed gives the same samples everywhere.  [default: a fresh one]",
        ),
    ] = None,
    first: Annotated[
        int,
        typer.Option(
            "--first",
            metavar="I",
            min=0,
            max=2**63 - 1,
            help="Begin at sample I of the seed: jobs of an array share one seed.",
        ),
    ] = 0,
    rewards: RewardsOption = None,
    final: Annotated[
        bool,
        typer.Option("--final", help="Also the absorbing vertex; -1: the path never ends."),
    ] = False,
    paths: Annotated[
        bool, typer.Option("--paths", help="Whole paths: vertices and the times of entering them.")
    ] = False,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """Draws times to absorption, or with --rewards what is collected until then.

    On a pipe one value a line, with --final the vertex behind it; with --paths one JSON object a
    line. Vertices are numbers in the order of `inspect --states`. Sample I of a seed is the same
    path with every option, on every machine, for any number of threads.

    \b
    Examples:
      phasic sample model.py --theta 1.0 -n 1000 --seed 1 > times.txt
      phasic sample KEY --theta 1.0,0.5 -n 10 --final
      phasic sample KEY --theta 1.0 -n 3 --seed 1 --paths
      phasic sample KEY --theta 1.0 -n 1000 --seed 1 --rewards rewards.txt --json
      phasic sample KEY --theta 1.0 -n 1000 --seed 1 --first ${SLURM_ARRAY_TASK_ID}000
    """
    from phasic.cli.model_source import ModelOptions
    from phasic.cli.rewards import read_rewards
    from phasic.cli.thetas import parse_theta
    from phasic.cli.trace_source import open_trace
    from phasic.distribution import Distribution

    if paths and (final or rewards is not None):
        raise UsageError(
            f"--paths and {'--final' if final else '--rewards'} are both given",
            code="USAGE",
            hint="a path ends with its final vertex, and says how long it was in each",
        )
    if final and rewards is not None:
        raise UsageError(
            "--final and --rewards are both given",
            code="USAGE",
            hint="ask twice with the same seed: the samples are of the same paths",
        )
    session = session_of(context)
    trace = open_trace(session, source, ModelOptions.of(arg, max_vertices, discrete)).trace
    at = Distribution(trace, parse_theta(theta, trace.n_parameters).thetas[0])
    if seed is None:
        from phasic.sampling import fresh_seed

        seed = fresh_seed()
        session.note(f"seed {seed}")
    if paths:
        return Result(Records(_paths(at, number, seed, first)))
    if final:
        rows = _rows(number, first, lambda n, i: _ends(at, n, seed, i))
        return Result(Table(("time", "vertex"), rows, "sample"))
    row = None if rewards is None else read_rewards(rewards, trace.n_vertices)
    rows = _rows(number, first, lambda n, i: _values(at, n, seed, i, row))
    return Result(Table(("time" if row is None else "reward",), rows, "sample"))


def _values(at: Distribution, n: int, seed: int, first: int, rewards: Any) -> Iterator[Any]:
    return zip(at.sample(n, seed=seed, first=first, rewards=rewards).tolist(), strict=True)


def _ends(at: Distribution, n: int, seed: int, first: int) -> Iterator[Any]:
    times, vertices = at.sample_final(n, seed=seed, first=first)
    return zip(times.tolist(), vertices.tolist(), strict=True)


def _rows(
    number: int, first: int, draw: Callable[[int, int], Iterator[tuple[Any, ...]]]
) -> Iterator[tuple[Any, ...]]:
    for done in range(0, number, _CHUNK_SAMPLES):
        yield from draw(min(_CHUNK_SAMPLES, number - done), first + done)


def _paths(at: Distribution, number: int, seed: int, first: int) -> Iterator[dict[str, Any]]:
    for done in range(0, number, _CHUNK_PATHS):
        drawn = at.sample_paths(min(_CHUNK_PATHS, number - done), seed=seed, first=first + done)
        for offset, path in enumerate(drawn, first + done):
            yield {
                "sample": offset,
                "vertices": path.vertices.tolist(),
                "times": path.times.tolist(),
            }
