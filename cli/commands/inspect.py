"""`phasic inspect`: what a trace or a model is made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phasic.cli.errors import UsageError
from phasic.cli.exit_codes import ExitCode
from phasic.cli.options import (
    ArgOption,
    DiscreteOption,
    JsonOption,
    MaxVerticesOption,
    SourceArgument,
)
from phasic.cli.results import Fields, Result, Table, Value
from phasic.cli.session import session_of

if TYPE_CHECKING:
    from phasic.trace_elimination import EliminationTrace

_CLASSES = ("start", "transient", "absorbing", "dropped")


def inspect(
    context: typer.Context,
    source: SourceArgument,
    ops: Annotated[
        bool, typer.Option("--ops", help="List the operations of the trace, one a line.")
    ] = False,
    states: Annotated[
        bool, typer.Option("--states", help="List the vertices with class and state, in order.")
    ] = False,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole", help="Print the whole trace as JSON text, which all commands read as TRACE."
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="List all vertices that cannot reach absorption; exit 1 if any."
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw the matrix and its elimination there, a name that ends in .png or .svg.",
        ),
    ] = None,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """What a trace holds: vertices, edges, parameters, components, fill, operations, bytes, key.

    --ops lists the operations that evaluation amounts to: number, type (CONST, PARAM, DOT, ADD,
    MUL, DIV, INV, SUM) and operands, which are numbers of earlier operations.

    --plot draws the matrix of the transient states in their order and in that of elimination, with
    what elimination adds (fill-in) marked, and prints the path of the picture.
    It needs Matplotlib: pip install 'phasic[plot]'

    \b
    Examples:
      phasic inspect model.py
      phasic inspect model.py --check
      phasic inspect KEY --ops | head
      phasic inspect KEY --whole > trace.json
      phasic inspect model.py --plot pattern.png
      phasic inspect phasic.models.coalescent:kingman --arg n=5 --states
    """
    if ops + states + whole + check + (plot is not None) > 1:
        raise UsageError(
            "--ops, --states, --whole, --check and --plot are different answers",
            code="USAGE",
            hint="ask for one at a time",
        )
    from phasic.cli.model_source import ModelOptions, load_model, looks_like_model
    from phasic.cli.progress import exploring
    from phasic.cli.trace_facts import facts
    from phasic.cli.trace_source import open_trace

    session = session_of(context)
    if plot is not None:
        from phasic.plots.files import check_format

        check_format(plot)
    options = ModelOptions.of(arg, max_vertices, discrete)
    if check and looks_like_model(source):
        with exploring(session):
            return _trapped(load_model(source, options).trapped_vertices())
    opened = open_trace(session, source, options)
    if ops:
        columns = ("number", "type", "operands")
        return Result(Table(columns, _operations(opened.trace), noun="operation"))
    if states:
        return Result(Table(("vertex", "class", "state"), _vertices(opened.trace), noun="vertex"))
    if whole:
        text = opened.trace.to_json()
        return Result(Value("trace", text, {"trace": json.loads(text)} if session.json else None))
    if plot is not None:
        return _picture(opened.trace, plot)
    if check:
        # Those that a trace holds come from a graph that was made `improper`.
        vertices = _vertices(opened.trace)
        return _trapped([str(tuple(state)) for _, kind, state in vertices if kind == "dropped"])
    return Result(Fields(facts(opened)))


def _trapped(labels: list[str]) -> Result:
    table = Table(("trapped",), ((label,) for label in labels), noun="trapped vertex")
    return Result(table, ExitCode.NO if labels else ExitCode.DONE)


def _picture(trace: EliminationTrace, path: Path) -> Result:
    from phasic.plots import plot_elimination, save_figure

    save_figure(plot_elimination(trace), path)
    return Result(Value("path", str(path)))


def _operations(trace: EliminationTrace) -> Iterator[tuple[int, str, str]]:
    for number, operation in enumerate(trace.operations):
        kind, _, operands = str(operation).partition(" ")
        yield number, kind, operands


def _vertices(trace: EliminationTrace) -> Iterator[tuple[int, str, list[int]]]:
    classes = trace.handle.graph().vertex_class
    for vertex, state in enumerate(trace.states):
        yield vertex, _CLASSES[classes[vertex]], state.tolist()
