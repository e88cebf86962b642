"""A record as tables for a terminal: single values go into a list, each function into a table.

The entry of a function is a mapping whose first list is its argument. Its lists are columns, lists
in them are spread over columns, and what is no list stands in the title. Where `vertex` lists the
inner entries of `value`, a row is one argument and one vertex.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from phasic.cli.results import Json


@dataclass(frozen=True)
class NamedTable:
    """Rows under columns, and what they are."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Json, ...]]


def split(record: Mapping[str, Json]) -> tuple[dict[str, Json], list[NamedTable]]:
    """Its values one by one, flattened, and its tables."""
    fields: dict[str, Json] = {}
    tables: list[NamedTable] = []
    for name, value in record.items():
        for label, entry in _entries(name, value):
            if not isinstance(entry, Mapping):
                fields.update(flatten(label, entry))
                continue
            lists = {inner: part for inner, part in entry.items() if isinstance(part, list)}
            if next(iter(lists), "value") in ("value", "gradient"):  # it has no arguments
                for inner, part in entry.items():
                    fields.update(flatten(f"{label}.{inner}", part))
                continue
            title = [f"{inner} {part}" for inner, part in entry.items() if inner not in lists]
            tables.append(_table(", ".join([label, *title]), lists))
    return fields, tables


def flatten(name: str, value: Json) -> Iterator[tuple[str, Json]]:
    """`name[0]`, `name[1]`, … of a list, to any depth."""
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from flatten(f"{name}[{index}]", item)
    else:
        yield name, value


def _entries(name: str, value: Json) -> Iterator[tuple[str, Json]]:
    """One a reward, where there are several."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield from ((f"{name}[{index}]", item) for index, item in enumerate(value))
    else:
        yield name, value


def _table(name: str, entry: Mapping[str, Json]) -> NamedTable:
    (axis, points), *_ = entry.items()
    if axis != "vertex" and "vertex" in entry:
        return _by_vertex(name, axis, entry)
    records = [dict(_cells(entry, number)) for number in range(len(points))]
    columns = tuple(records[0]) if records else tuple(entry)
    return NamedTable(name, columns, [tuple(record.values()) for record in records])


def _cells(entry: Mapping[str, Json], number: int) -> Iterator[tuple[str, Json]]:
    for name, values in entry.items():
        if name == "bound":
            yield name, f"{float(values[number]):.1e}"
        else:
            yield from flatten(name, values[number])


def _by_vertex(name: str, axis: str, entry: Mapping[str, Json]) -> NamedTable:
    numbers = {inner: part for inner, part in entry.items() if inner not in (axis, "vertex")}
    records = []
    for number, point in enumerate(entry[axis]):
        for place, vertex in enumerate(entry["vertex"]):
            record = {axis: point, "vertex": vertex}
            for inner, part in numbers.items():
                record.update(flatten(inner, part[number][place]))
            records.append(record)
    columns = tuple(records[0]) if records else (axis, "vertex", *numbers)
    return NamedTable(name, columns, [tuple(record.values()) for record in records])
