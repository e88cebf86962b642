"""`phasic inspect`: what a trace or a model is made of."""

from __future__ import annotations

from typing import Annotated

import typer

from phasic.cli.errors import UsageError
from phasic.cli.options import (
    ArgOption,
    DiscreteOption,
    JsonOption,
    MaxVerticesOption,
    SourceArgument,
)
from phasic.cli.results import Result
from phasic.cli.session import session_of


def inspect(
    context: typer.Context,
    source: SourceArgument,
    ops: Annotated[
        bool, typer.Option("--ops", help="List the operations of the trace, one a line.")
    ] = False,
    states: Annotated[
        bool, typer.Option("--states", help="List the vertices with class and state, in order.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="List all vertices that cannot reach absorption; exit 1 if any."
        ),
    ] = False,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """What a trace holds: vertices, edges, parameters, components, fill, operations, bytes, key.

    --ops lists the operations that evaluation amounts to: number, type (CONST, PARAM, DOT, ADD,
    MUL, DIV, INV, SUM) and operands, which are numbers of earlier operations.

    \b
    Examples:
      phasic inspect model.py
      phasic inspect model.py --check
      phasic inspect KEY --ops | head
      phasic inspect phasic.models.coalescent:kingman --arg n=5 --states
    """
    if ops + states + check > 1:
        raise UsageError(
            "--ops, --states and --check are three different lists",
            code="USAGE",
            hint="ask for one at a time",
        )
    from phasic.cli.model_source import ModelOptions
    from phasic.cli.trace_source import open_trace

    session = session_of(context)
    options = ModelOptions.of(arg, max_vertices, discrete)
    opened = open_trace(session, source, options)
    if ops:
        return Result(Table(("number", "type", "operation"), _operations(opened.trace)))
    if states:
        return Result(Table(("vertex", "class", "state"), _states(opened.trace)))
    return Result(Fields(_facts(opened)))


def _operations(trace: EliminationTrace) -> Iterator[tuple[int, str, str]]:
    for number, operation in enumerate(trace.operations):
        kind, _, rest = str(operation).partition(" ")
        yield number, kind, rest
