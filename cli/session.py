"""One run of the program: its streams, its form of output, and what was warned about."""

from __future__ import annotations

from dataclasses import dataclass, field

import typer

from phasic.cli.results import Result
from phasic.cli.streams import Streams


@dataclass
class Session:
    """Carried to commands as `context.obj`."""

    streams: Streams
    json: bool = False
    command: str = ""
    warnings: list[str] = field(default_factory=list)
    result: Result | None = None
    """Set by what answers before any command runs (`--version`)."""

    @property
    def interactive(self) -> bool:
        """Whether someone is there to answer a question."""
        return self.streams.stdin_is_terminal and self.streams.stderr_is_terminal

    def note(self, text: str) -> None:
        """A line for a person: to stderr, on a terminal only."""
        if self.streams.stderr_is_terminal and not self.json:
            self.streams.say(f"{text}\n")


def session_of(context: typer.Context) -> Session:
    """The session that `main` put into the context."""
    session = context.obj
    assert isinstance(session, Session)
    return session
