"""What commands return. The renderer alone decides how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from phasic.cli.exit_codes import ExitCode

Json: TypeAlias = Any


@dataclass
class Value:
    """One thing: a key, a path. A line of its own; in JSON `{name: text}` and the details."""

    name: str
    text: str
    details: Mapping[str, Json] | None = None


@dataclass
class Fields:
    """Names with values: a two-column table; `name<TAB>value` lines; a JSON object."""

    fields: Mapping[str, Json]


@dataclass
class Table:
    """Rows under columns, read once and lazily: a table; TSV; a JSON list of objects."""

    columns: tuple[str, ...]
    rows: Iterable[tuple[Json, ...]]
    noun: str = "row"


@dataclass
class Records:
    """Objects, read once and lazily: JSON lines. On a terminal tables, by `record_tables`."""

    records: Iterable[Mapping[str, Json]]


@dataclass
class Result:
    """The outcome of a command.

    `failure`: what could not be done besides; it is told, and ends the command, after the data.
    """

    data: Value | Fields | Table | Records
    exit_code: ExitCode = ExitCode.DONE
    failure: OSError | None = None
