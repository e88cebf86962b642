"""The three standard streams and what is known about them, in one replaceable object."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TextIO, cast


@dataclass
class Streams:
    """Standard streams and the state of the terminal.

    Results go to `stdout`, everything else to `stderr`.
    """

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    stdin_is_terminal: bool = False
    stdout_is_terminal: bool = False
    stderr_is_terminal: bool = False
    colour: bool = False
    width: int = 80

    @classmethod
    def of_process(cls, environment: Mapping[str, str] = os.environ) -> Streams:
        """The streams of this process. NO_COLOR and TERM=dumb turn colour off."""
        stdin = _opened(sys.stdin, "r")
        stdout = _opened(sys.stdout, "w")
        stderr = _opened(sys.stderr, "w")
        return cls(
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            stdin_is_terminal=stdin.isatty(),
            stdout_is_terminal=stdout.isatty(),
            stderr_is_terminal=stderr.isatty(),
            colour=not environment.get("NO_COLOR") and environment.get("TERM") != "dumb",
            width=get_terminal_size().columns,
        )

    def say(self, text: str) -> None:
        """Text for a person, to stderr. Where nobody can read it, the work goes on without."""
        try:
            self.stderr.write(text)
            self.stderr.flush()
        except OSError:
            _drop(self.stderr)

    def drop_stdout(self) -> None:
        """Sends what is still to come nowhere: nobody reads it, and exiting must not fail on it."""
        _drop(self.stdout)


def _drop(stream: TextIO) -> None:
    try:
        number = stream.fileno()
    except OSError:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _opened(stream: TextIO | None, mode: str) -> TextIO:
    """The stream, or nowhere where the process was started without it (`>&-`).

    What its encoding lacks is written as an escape: a state's label must not end a command.
    """
    if stream is None or stream.closed:
        return cast(TextIO, open(os.devnull, mode))
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace" if mode == "w" else "surrogateescape")
    return stream
