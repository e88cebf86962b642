"""`phasic record`: explores a model, records its elimination and keeps the trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phasic.cli.options import (
    ArgOption,
    DiscreteOption,
    JsonOption,
    MaxVerticesOption,
    ModelArgument,
)
from phasic.cli.results import Result, Value
from phasic.cli.session import session_of


def record(
    context: typer.Context,
    model: ModelArgument,
    arg: ArgOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the trace to FILE and print its path instead of the key.",
        ),
    ] = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """Record a model once: explore its states, plan the elimination, keep the trace.

    Prints the key under which the trace is cached; a trace that is there already is not recorded
    again. The key, or the path with -o, is all that the other commands need.

    \b
    Examples:
      phasic record model.py
      phasic record model.py:two_islands --arg n=12
      phasic record phasic.models.coalescent:site_frequency --arg n=20
      phasic record phasic.models.structured:migration --arg n=[4,3]
      phasic record model.py -o model.trace
      phasic record model.py | phasic evaluate - --theta 1.0
    """
    from phasic.cli.model_source import ModelOptions
    from phasic.cli.trace_source import record_model

    session = session_of(context)
    opened = record_model(session, model, ModelOptions.of(arg, max_vertices, discrete), output)
    details = {"key": opened.key, "origin": opened.origin, "vertices": opened.trace.n_vertices}
    if output is not None:
        return Result(Value("path", str(output), details))
    return Result(Value("key", opened.key, details))
