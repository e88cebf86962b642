"""`phasic record`: explores a model, records its elimination and keeps the trace."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
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
      phasic record model.drn --arg target=done
      phasic record model.py -o model.trace
      phasic record model.py | phasic evaluate - --theta 1.0
    """
    from phasic.cli.model_source import ModelOptions, load_model
    from phasic.cli.trace_source import need_place, not_kept, obtain_trace

    session = session_of(context)
    options = ModelOptions.of(arg, max_vertices, discrete)
    need_place(output)
    graph = load_model(model, options)
    began = perf_counter()
    trace, recorded, kept = obtain_trace(session, graph)
    if output is None and not kept:
        raise not_kept(trace.key)
    origin = "recorded" if recorded else "cache"
    seconds = perf_counter() - began
    if output is not None:
        trace.save(output)
    vertices = "1 vertex" if trace.n_vertices == 1 else f"{trace.n_vertices:,} vertices"
    session.note(f"{vertices}, {trace.n_bytes:,} bytes, {origin}, {seconds:.3f} s")
    details = {
        "key": trace.key,
        "origin": origin,
        "vertices": trace.n_vertices,
        "bytes": trace.n_bytes,
        "seconds": seconds,
    }
    if output is not None:
        return Result(Value("path", str(output), details))
    return Result(Value("key", trace.key, details))
