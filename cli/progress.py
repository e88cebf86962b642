"""Progress of what takes long, on stderr and only where that is a terminal.

Work of a known size has a bar, its rate and the time that remains. How large a state space is shows
only at its end: exploring has the states so far and their rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from phasic.cli.session import Session

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID

_PATIENCE = 0.5
"""Seconds before the bar appears: what is short needs none."""


class ProgressBar:
    """A context; `callback` is what the engine calls now and then, or None where nobody looks.

    Args:
        session: whose stderr.
        description: what goes on, as in "recording".
        unit: what is counted, in the plural.
        ends: whether the work in all is known beforehand.
    """

    def __init__(
        self, session: Session, description: str, unit: str = "steps", ends: bool = True
    ) -> None:
        self._streams = session.streams
        self._description = description
        self._unit = unit
        self._ends = ends
        self._began = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._visible = self._streams.stderr_is_terminal and not session.json

    @property
    def callback(self) -> Callable[[int, int], None] | None:
        """Takes the work done and the work in all."""
        return self._update if self._visible else None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _update(self, done: int, total: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._began < _PATIENCE:
                return
            self._start()
        assert self._bar is not None
        assert self._task is not None
        rate = shown_rate(done, time.monotonic() - self._began, self._unit)
        self._bar.update(
            self._task, completed=done, total=total, rate=rate, count=f"{done:,} of {total:,} found"
        )

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(
            file=self._streams.stderr,
            force_terminal=True,
            color_system="auto" if self._streams.colour else None,
            width=self._streams.width,
        )
        text, rate = TextColumn("{task.description}"), TextColumn("{task.fields[rate]}")
        columns: list[ProgressColumn] = [text, TextColumn("{task.fields[count]}"), rate]
        if self._ends:
            columns = [text, BarColumn(), TaskProgressColumn(), rate, TimeRemainingColumn()]
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task(self._description, total=None, rate="", count="")
        self._bar.start()


def shown_rate(done: int, seconds: float, unit: str) -> str:
    """Since the beginning, as in "12,300,000 states/s": three digits."""
    rate = done / max(seconds, 1e-9)
    return f"{float(f'{rate:.3g}'):,.{0 if rate >= 100 else 1}f} {unit}/s"


@contextmanager
def exploring(session: Session) -> Iterator[None]:
    """State spaces that are explored within show how far they are."""
    from phasic.state_space.watch import watched_by

    with (
        ProgressBar(session, "exploring", "states", ends=False) as bar,
        watched_by(bar.callback),
    ):
        yield
