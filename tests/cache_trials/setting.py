"""What all trials share: a shim that is preloaded, children that report, a tally of promises."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from phasic import errors

COUNT, FAIL_ONCE, FAIL_FROM, DIE_BEFORE, DIE_AFTER, HANG_FROM = range(6)


@dataclass
class Tally:
    """What a trial has seen: counts to print, and broken promises."""

    counts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    broken: list[str] = field(default_factory=list)

    def must(self, kept: bool, promise: str) -> None:
        if not kept:
            self.broken.append(promise)

    def report(self, name: str) -> int:
        print(
            f"{name}: " + ", ".join(f"{value:,.10g} {what}" for what, value in self.counts.items())
        )
        for promise in self.broken[:20]:
            print(f"broken: {promise}")
        if len(self.broken) > 20:
            print(f"broken: {len(self.broken) - 20} more")
        return 1 if self.broken else 0


@dataclass(frozen=True)
class Ended:
    """How a child ended: what it gave back, or the signal that killed it."""

    result: dict[str, Any] | None
    signal: int


class Child:
    """A forked process that runs a function and gives its result back as JSON."""

    def __init__(self, function: Callable[[], Mapping[str, Any]]) -> None:
        self._reader, writer = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._run(function, writer)
        os.close(writer)

    @staticmethod
    def _run(function: Callable[[], Mapping[str, Any]], writer: int) -> None:
        status = 70
        # To the very end: a thread that is left behind may warn when all has been told.
        with warnings.catch_warnings(record=True) as caught:
            try:
                warnings.simplefilter("always")
                errors._counts.clear()
                result = dict(function())
                result["warnings"] = dict(errors.warning_counts())
                result["issued"] = len(caught)
                os.write(writer, json.dumps(result).encode())
                status = 0
            finally:
                if status:
                    sys.excepthook(*sys.exc_info())
                sys.stderr.flush()
                os._exit(status)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        with open(self._reader, "rb") as stream:
            data = stream.read()
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            return Ended(None, os.WTERMSIG(status))
        return Ended(json.loads(data) if data else None, 0)


def shim() -> ctypes.CDLL:
    """The preloaded shim."""
    library = ctypes.CDLL(None)
    library.shim_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_long, ctypes.c_int]
    library.shim_name.restype = ctypes.c_char_p
    library.shim_name.argtypes = [ctypes.c_long]
    library.shim_clock.argtypes = [ctypes.c_long]
    for name in ("shim_disarm", "shim_fired"):
        getattr(library, name).restype = ctypes.c_long
    return library


def replaced(bug: bool, owner: Any, **instead: Any) -> AbstractContextManager[Any]:
    """Within the block attributes of `owner` are what stands `instead`, if there is to be a bug."""
    return patch.multiple(owner, **instead) if bug else nullcontext()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of the trial, at $CACHE_TRIALS_IN or where temporary files go."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("CACHE_TRIALS_IN")) as folder:
        os.environ["PHASIC_STATE_DIR"] = os.path.join(folder, "state")
        os.environ["PHASIC_DAEMON_DIR"] = os.path.join(folder, "daemon")
        yield Path(folder)


@contextmanager
def cache_in(directory: Path, **settings: object) -> Iterator[None]:
    """Within the block the cache is there; settings as `cache_lease_seconds=1`."""
    chosen = {"cache_dir": directory, **settings}
    before = dict(os.environ)
    os.environ |= {f"PHASIC_{name.upper()}": str(value) for name, value in chosen.items()}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
