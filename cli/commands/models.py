"""`phasic models`: the models that ship, and what one of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Result, Table, Value
from phasic.cli.session import session_of

if TYPE_CHECKING:
    from phasic.graph import Graph
    from phasic.models.catalogue import Entry


def models(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A model: its text, arguments, parameters and an example command."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> Result:
    """The models that ship: all of them, or one with its text, parameters and an example command.

    \b
    Examples:
      phasic models
      phasic models kingman
      phasic models structured:migration
      phasic models sir | tail -1 | sh
    """
    from phasic.models import catalogue

    if name is None:
        rows = ((entry.place, entry.arguments, entry.summary) for entry in catalogue.entries())
        return Result(Table(("model", "arguments", "summary"), rows, noun="model"))
    entry = catalogue.find(name)
    graph = entry.example_graph
    facts = {
        "model": entry.place,
        "arguments": entry.arguments,
        "text": entry.text,
        "source": entry.source,
        "kind": "discrete" if graph.discrete else "continuous",
        "parameters": list(graph.parameter_names),
        "state": list(graph.state_names),
        "command": entry.command,
    }
    session = session_of(context)
    return Result(Value("page", _page(entry, graph), facts if session.json else None))


def _page(entry: Entry, graph: Graph) -> str:
    """All of it as text; the last line is the command."""
    return "\n".join(
        [
            f"{entry.place}({entry.arguments})",
            "",
            entry.text,
            "",
            "Source:",
            *(f"    {line}".rstrip() for line in entry.source.splitlines()),
            "",
            f"Parameters of the example: {', '.join(graph.parameter_names) or 'none'}",
            f"Entries of its states: {', '.join(graph.state_names)}",
            "",
            entry.command,
        ]
    )
