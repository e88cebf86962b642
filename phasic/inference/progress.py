"""A progress bar of one line on stderr, where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

Progress = Callable[[int, int], None]

_WIDTH = 30


def as_progress(progress: bool | Progress) -> Progress:
    """What is called with steps done and in all: the user's function, the bar, or nothing."""
    if callable(progress):
        return progress
    return _bar if progress and sys.stderr.isatty() else _nothing


def _nothing(done: int, total: int) -> None:
    pass


def _bar(done: int, total: int) -> None:
    full = _WIDTH * done // total
    end = "\n" if done == total else ""
    print(
        f"\r[{'=' * full}{' ' * (_WIDTH - full)}] {done}/{total}",
        end=end,
        file=sys.stderr,
        flush=True,
    )
