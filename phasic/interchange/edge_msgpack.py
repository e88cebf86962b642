"""Edges as msgpack: the document of `edge_document`."""

from __future__ import annotations

import msgpack
from numpy.typing import ArrayLike

from ..errors import FormatError
from ..graph import Graph
from . import edge_document
from .text import replacing


def read(path: str, *, discrete: bool | None) -> Graph:
    """The graph of a msgpack file.

    Raises:
        FormatError: it is no msgpack, or not that document.
        GraphError: the numbers make no model.
    """
    content = edge_document.read_bytes(path)
    try:
        # Lengths that a file claims are bounded by its own.
        document = msgpack.unpackb(content, raw=False, strict_map_key=True)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise FormatError(
            f"{path} is no msgpack: {error or type(error).__name__}",
            code="FILE_FORMAT",
            hint="was the file written to its end?",
        ) from None
    return edge_document.graph_of(path, document, discrete)


def write(graph: Graph, path: str, *, theta: ArrayLike | None) -> None:
    """Writes the document of a graph."""
    with replacing(path, "wb") as stream:
        stream.write(msgpack.packb(edge_document.of(graph, theta)))
