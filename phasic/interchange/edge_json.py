"""Edges as JSON: the document of `edge_document`."""

from __future__ import annotations

import json

from numpy.typing import ArrayLike

from ..errors import FormatError
from ..files import replacing
from ..graph import Graph
from . import edge_document


def read(path: str, *, discrete: bool | None) -> Graph:
    """The graph of a JSON file.

    Raises:
        FormatError: it is no JSON, or not that document.
        GraphError: the numbers make no model.
    """
    content = edge_document.read_bytes(path)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{path} is no JSON: {error}",
            code="FILE_FORMAT",
            hint="was the file written to its end?",
        ) from None
    return edge_document.graph_of(path, document, discrete)


def write(graph: Graph, path: str, *, theta: ArrayLike | None) -> None:
    """Writes the document of a graph."""
    with replacing(path) as stream:
        json.dump(edge_document.of(graph, theta), stream, allow_nan=False)
        stream.write("\n")
