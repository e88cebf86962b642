"""The one place that prints: tables for a terminal, lines for a pipe, an envelope for `--json`.

The envelope is one JSON object, `schema` first. Its data are streamed, so what can only be known at
the end (`warnings`, `ok`, `exit_code`, `error`) stands behind them:

    {"schema": "phasic-cli/1", "command": "record", "data": …,
     "warnings": […], "ok": true, "exit_code": 0, "error": null}
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from phasic.cli.exit_codes import ExitCode
from phasic.cli.results import Fields, Json, Records, Result, Table, Value
from phasic.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SCHEMA = "phasic-cli/1"

# Made once: `json.dumps` would make an encoder for every line.
_encode = json.JSONEncoder(allow_nan=False).encode

_TERMINAL_ROWS = 500
"""Rows of one table on a terminal: column widths are found and rows shown in groups of so many."""


@dataclass
class Failure:
    """Why a command did not do what it was asked."""

    code: str
    message: str
    exit_code: ExitCode
    hint: str | None = None
    traceback: str | None = None


class Renderer:
    """Prints one result, or a failure, or a result that fails halfway."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._streams = session.streams
        self._envelope_open = False
        self._list_open = False

    def show(self, result: Result) -> None:
        """Prints the data of a result. Rows are read, and may raise, here."""
        if self._session.json:
            self._show_json(result.data)
        elif self._streams.stdout_is_terminal:
            self._show_terminal(result.data)
        else:
            self._show_lines(result.data)

    def finish(self, exit_code: ExitCode, failure: Failure | None = None) -> None:
        """Says how it ended, and closes the envelope."""
        if failure is not None:
            self._say(failure)
        if self._session.json:
            self._close_envelope(exit_code, failure)
        self._streams.stdout.flush()

    # -- stderr

    def _say(self, failure: Failure) -> None:
        parts = []
        if failure.traceback:
            parts.append(failure.traceback.rstrip("\n"))
        if failure.exit_code is ExitCode.INTERRUPTED:
            parts.append(failure.message)
        else:
            parts.append(f"{self._painted(f'error[{failure.code}]', '1;31')}: {failure.message}")
        for line in (failure.hint or "").splitlines():
            parts.append(f"  {self._painted('hint:', '36')} {line}")
        self._streams.say("".join(f"{part}\n" for part in parts))

    def warn(self, text: str) -> None:
        """A warning, whose text ends with its code in brackets, on stderr and in the envelope."""
        self._session.warnings.append(text)
        match = re.fullmatch(r"(.*) \[([A-Z_]+)\]", text, re.DOTALL)
        message, code = match.groups() if match else (text, "WARNING")
        label = self._painted(f"warning[{code}]", "1;33")
        self._streams.say(f"{label}: {message}\n")

    def _painted(self, text: str, style: str) -> str:
        if self._streams.stderr_is_terminal and self._streams.colour:
            return f"\x1b[{style}m{text}\x1b[0m"
        return text

    # -- JSON

    def _show_json(self, data: Value | Fields | Table | Records) -> None:
        self._open_envelope()
        write = self._streams.stdout.write
        match data:
            case Value(name, text, details):
                write(_dumps({name: text, **(details or {})}))
            case Fields(fields):
                write(_dumps(fields))
            case Table(columns, rows):
                self._write_list(dict(zip(columns, row, strict=True)) for row in rows)
            case Records(records):
                self._write_list(records)

    def _open_envelope(self) -> None:
        self._streams.stdout.write(
            f'{{"schema": "{SCHEMA}", "command": {json.dumps(self._session.command)}, "data": '
        )
        self._envelope_open = True

    def _write_list(self, items: Iterable[Mapping[str, Json]]) -> None:
        write = self._streams.stdout.write
        write("[")
        self._list_open = True
        separator = ""
        for item in items:
            write(separator + _dumps(item))
            separator = ", "
        write("]")
        self._list_open = False

    def _close_envelope(self, exit_code: ExitCode, failure: Failure | None) -> None:
        write = self._streams.stdout.write
        if not self._envelope_open:
            self._open_envelope()
            write("null")
        if self._list_open:
            write("]")
        error = None
        if failure is not None:
            error = {"code": failure.code, "message": failure.message, "hint": failure.hint}
        tail = {
            "warnings": self._session.warnings,
            "ok": exit_code is ExitCode.DONE,
            "exit_code": int(exit_code),
            "error": error,
        }
        write(", " + _dumps(tail)[1:] + "\n")

    # -- pipes

    def _show_lines(self, data: Value | Fields | Table | Records) -> None:
        write = self._streams.stdout.write
        match data:
            case Value(text=text):
                write(f"{text}\n")
            case Fields(fields):
                for name, value in fields.items():
                    write(f"{name}\t{_cell(value)}\n")
            case Table(rows=rows):
                for row in rows:
                    write("\t".join(map(_cell, row)) + "\n")
            case Records(records):
                for record in records:
                    write(_dumps(record) + "\n")

    # -- terminals

    def _show_terminal(self, data: Value | Fields | Table | Records) -> None:
        match data:
            case Value(text=text):
                self._streams.stdout.write(f"{text}\n")
            case Fields(fields):
                self._print_fields(fields)
            case Table(columns, rows, noun):
                self._print_tables(columns, iter(rows), noun)
            case Records(records):
                self._print_records(iter(records))

    def _print_fields(self, fields: Mapping[str, Json]) -> None:
        from rich.table import Table as RichTable

        table = RichTable.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in fields.items():
            table.add_row(_text(name), _text(_shown(value)))
        self._console().print(table)

    def _print_tables(
        self, columns: tuple[str, ...], rows: Iterator[tuple[Json, ...]], noun: str
    ) -> None:
        from rich import box
        from rich.table import Table as RichTable

        console = self._console()
        shown = 0
        while group := list(islice(rows, _TERMINAL_ROWS)):
            table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
            for number, name in enumerate(columns):
                numeric = all(isinstance(row[number], (int, float)) for row in group)
                table.add_column(name, overflow="fold", justify="right" if numeric else "left")
            for row in group:
                table.add_row(*(_text(_shown(value)) for value in row))
            console.print(table)
            shown += len(group)
        if not shown:
            self._session.note(f"no {noun}")

    def _print_records(self, records: Iterator[Mapping[str, Json]]) -> None:
        """A single record as a list; several as one table; those with tables one by one."""
        from phasic.cli.record_tables import split

        ahead = [split(record) for record in islice(records, 2)]
        if len(ahead) == 1 or any(tables for _, tables in ahead):
            for fields, tables in chain(ahead, map(split, records)):
                self._print_fields(fields)
                for table in tables:
                    self._streams.stdout.write(f"\n{table.name}\n")
                    self._print_tables(table.columns, iter(table.rows), table.name)
                if len(ahead) > 1:
                    self._streams.stdout.write("\n")
        elif ahead:
            flat = (fields for fields, _ in chain(ahead, map(split, records)))
            rows = (tuple(fields.values()) for fields in flat)
            self._print_tables(tuple(ahead[0][0]), rows, "record")

    def _console(self) -> Console:
        from rich.console import Console

        return Console(
            file=self._streams.stdout,
            force_terminal=True,
            color_system="auto" if self._streams.colour else None,
            width=self._streams.width,
            highlight=False,
            markup=False,
            emoji=False,
        )


def _text(text: str) -> Text:
    """Text as it is: rich would read `[...]` as markup."""
    from rich.text import Text

    return Text(text)


def _dumps(value: Json) -> str:
    """Compact JSON; floats with all their digits, and as strings where JSON has no number."""
    try:
        return _encode(value)
    except ValueError:
        return _encode(_finite(value))


def _finite(value: Json) -> Json:
    match value:
        case float():
            return value if math.isfinite(value) else repr(value)
        case Mapping():
            return {name: _finite(item) for name, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
    return value


def _cell(value: Json) -> str:
    """One TSV cell: a line stays a line, a cell a cell."""
    match value:
        case None:
            return ""
        case str():
            escaped = value.replace("\\", "\\\\")
            return escaped.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
        case bool():
            return "true" if value else "false"
        case float() | int():
            return repr(value)
    return _dumps(value)


def _shown(value: Json) -> str:
    """One cell of a table on a terminal."""
    match value:
        case None:
            return "-"
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case list() | tuple():
            return ", ".join(map(_shown, value))
        case Mapping():
            return "\n".join(f"{name}: {_shown(item)}" for name, item in value.items())
    return repr(value)
