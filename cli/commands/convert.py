"""`phasic convert`: a model as a file of another format."""

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
    ThetaOption,
)
from phasic.cli.results import Result, Value
from phasic.cli.session import session_of


def convert(
    context: typer.Context,
    model: ModelArgument,
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="The file to write; its end says the format: .csv (edges), .matrix.csv, .json,"
            " .msgpack, .npz, .mtx, .drn (Storm), .tra (PRISM), .dot (Graphviz).",
        ),
    ],
    theta: ThetaOption = None,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """Write a model in a format of another program, or read one of those and write it in another.

    Without --theta weights stay linear in the parameters, which .csv, .json, .msgpack, .drn and
    .dot can hold; the others hold numbers. MODEL may be a file of each of these formats but .dot.

    \b
    Examples:
      phasic convert model.py model.drn
      phasic convert phasic.models.epidemics:sir --arg population=10 sir.csv
      phasic convert phasic.models.coalescent:kingman --arg n=5 --theta 1.0 kingman.npz
      phasic convert cluster.tra cluster.json --arg discrete=false
      phasic convert model.drn model.dot && dot -Tsvg model.dot -o model.svg
    """
    from phasic import interchange
    from phasic.cli.model_source import ModelOptions, load_model
    from phasic.cli.progress import exploring
    from phasic.cli.thetas import parse_theta

    graph = load_model(model, ModelOptions.of(arg, max_vertices, discrete))
    session = session_of(context)
    with exploring(session):
        vertices = graph.n_vertices
    at = None
    if theta is not None:
        at = parse_theta(theta, graph.n_parameters).thetas[0]
    interchange.write(graph, output, theta=at)
    session.note(f"{vertices:,} vertices")
    return Result(Value("path", str(output), {"vertices": vertices}))
