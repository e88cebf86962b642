"""Who is told how exploring goes: how many states were asked for what follows, and are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[int, int], None]

_watcher: ContextVar[Watcher | None] = ContextVar("phasic_exploring", default=None)


@contextmanager
def watched_by(watcher: Watcher | None) -> Iterator[None]:
    """Within the block `watcher` is called now and then; what it raises ends the exploring.

    Example:
        >>> from phasic.models import coalescent
        >>> from phasic.state_space.watch import watched_by
        >>> with watched_by(lambda explored, known: print(explored, known)):
        ...     coalescent.kingman(5).n_vertices
        5 5
        6
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def tell(explored: int, known: int) -> None:
    """Says how far exploring has come."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(explored, known)
