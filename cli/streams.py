"""The three standard streams and what is known about them, in one replaceable object."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TextIO


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
        return cls(
            stdin=sys.stdin,
            stdout=sys.stdout,
            stderr=sys.stderr,
            stdin_is_terminal=_is_terminal(sys.stdin),
            stdout_is_terminal=_is_terminal(sys.stdout),
            stderr_is_terminal=_is_terminal(sys.stderr),
            colour=not environment.get("NO_COLOR") and environment.get("TERM") != "dumb",
            width=get_terminal_size().columns,
        )

    def drop_stdout(self) -> None:
        """Sends what is still to come nowhere: nobody reads it, and exiting must not fail on it."""
        try:
            number = self.stdout.fileno()
        except OSError:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()
