"""A progress bar for what takes long, on stderr and only where that is a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from phasic.cli.session import Session

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE = 0.5
"""Seconds before the bar appears: what is short needs none."""


class ProgressBar:
    """A context; `callback` is what the engine calls now and then, or None where nobody looks."""

    def __init__(self, session: Session, description: str) -> None:
        self._streams = session.streams
        self._description = description
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
        self._bar.update(self._task, completed=done, total=total)

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(
            file=self._streams.stderr,
            force_terminal=True,
            color_system="auto" if self._streams.colour else None,
            width=self._streams.width,
        )
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task(self._description, total=None)
        self._bar.start()
