"""Edges as msgpack: the document of `edge_document`."""

from __future__ import annotations

import msgpack
from numpy.typing import ArrayLike

from ..errors import FormatError
from ..files import replacing
from ..graph import Graph
from . import edge_document

# An edge takes 12 bytes at least.
_MOST_LISTS = edge_document.LARGEST // 12
_MOST_OBJECTS = 100


def read(path: str, *, discrete: bool | None) -> Graph:
    """The graph of a msgpack file.

    Raises:
        FormatError: it is no msgpack, or not that document.
        GraphError: the numbers make no model.
    """
    content = edge_document.read_bytes(path)
    shape = _Shape()
    try:
        # Lengths that a file claims are bounded by its own.
        document = msgpack.unpackb(
            content,
            raw=False,
            strict_map_key=True,
            list_hook=shape.see_list,
            object_hook=shape.see_object,
        )
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise FormatError(
            f"{path} is no msgpack: {error or type(error).__name__}",
            code="FILE_FORMAT",
            hint="was the file written to its end?",
        ) from None
    return edge_document.graph_of(path, document, discrete)


class _Shape:
    """Stops what no document is: a byte can be a list, which takes 64 in memory."""

    def __init__(self) -> None:
        self._lists = self._objects = 0

    def see_list(self, values: list[object]) -> list[object]:
        self._lists += 1
        if self._lists > _MOST_LISTS:
            raise ValueError(f"more than {_MOST_LISTS:,} lists")
        return values

    def see_object(self, fields: dict[str, object]) -> dict[str, object]:
        self._objects += 1
        if self._objects > _MOST_OBJECTS:
            raise ValueError(f"more than {_MOST_OBJECTS} objects")
        return fields


def write(graph: Graph, path: str, *, theta: ArrayLike | None) -> None:
    """Writes the document of a graph."""
    with replacing(path, "wb") as stream:
        stream.write(msgpack.packb(edge_document.of(graph, theta)))
