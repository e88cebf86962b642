"""Runs the command line inside the test's process, on streams of its own; its tree of commands."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from phasic.cli.main import main
from phasic.cli.streams import Streams


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def envelope(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        return json.loads(self.out)

    @property
    def records(self) -> list[dict[str, Any]]:
        """Stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def fields(self) -> dict[str, str]:
        """Stdout as `name<TAB>value` lines."""
        return dict(line.split("\t", 1) for line in self.out.splitlines())


def phasic(
    *arguments: str,
    stdin: bytes | str = b"",
    terminal: bool = False,
    colour: bool = False,
    width: int = 100,
) -> Outcome:
    """One command. With `terminal`, all three streams say that they are one."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    out, err = io.StringIO(), io.StringIO()
    streams = Streams(
        stdin=io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))),
        stdout=out,
        stderr=err,
        stdin_is_terminal=terminal,
        stdout_is_terminal=terminal,
        stderr_is_terminal=terminal,
        colour=colour,
        width=width,
    )
    code = main(arguments, streams)
    return Outcome(code, out.getvalue(), err.getvalue())


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that lead to it."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*path, name))
