"""Daemons of the command line for tests and trials: started, asked, killed; and their clients."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from phasic.cache import pending
from phasic.cache.directory import CacheDirectory
from phasic.daemon.client import ask
from phasic.daemon.place import Place
from search_paths import search_path

Variables = dict[str, object]

PATIENCE = 60.0

# The end of a program that has changed something and is the command line from then on.
RUN = "from phasic.cli.main import main\nsys.exit(main(sys.argv[1:]))\n"

CLIENT = """
import json, sys, time, warnings
import phasic.errors
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    began = time.monotonic()
    trace, recorded, kept = obtain_trace(queue_graph(int(sys.argv[1])))
    seconds = time.monotonic() - began
print(json.dumps({
    "moments": trace.moments([[1.0, 1.5]], 3)[0].tolist(), "recorded": recorded, "kept": kept,
    "warnings": phasic.errors.warning_counts(), "issued": len(caught), "seconds": seconds,
    "key": trace.key,
}))
"""


def environment(**more: object) -> dict[str, str]:
    """That of a process which finds phasic and the tests' models."""
    return {
        **os.environ,
        "PYTHONPATH": search_path(),
        **{name: str(value) for name, value in more.items()},
    }


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def settings(place: Path, **more: object) -> dict[str, object]:
    """Variables of a cache with a shared directory behind it, all in one place."""
    shared = place / "shared"
    shared.mkdir(mode=0o700, exist_ok=True)
    chosen = {
        "cache_dir": place / "cache",
        "cache_shared_dir": shared,
        "state_dir": place / "state",
        "daemon_dir": place / "d",
        **more,
    }
    return {f"PHASIC_{name.upper()}": value for name, value in chosen.items()}


class Daemon:
    """A process that runs `phasic daemon run`, or a program that does as much."""

    def __init__(
        self, variables: Mapping[str, object], program: str = "", wait: bool = True
    ) -> None:
        command = ["-c", program] if program else ["-m", "phasic.cli"]
        self.process = subprocess.Popen(
            [sys.executable, *command, "daemon", "run", "--json"],
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.folder = Path(str(variables["PHASIC_DAEMON_DIR"]))
        if wait:
            self.await_socket()

    def await_socket(self) -> None:
        end = time.monotonic() + PATIENCE
        while not any(self.folder.glob("phasic-*.sock")) or self._holder() != self.process.pid:
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                raise AssertionError(f"no daemon: {self.process.communicate()}")
            time.sleep(0.01)

    def _holder(self) -> int:
        text = (self.folder / "lock").read_text()
        return int(text) if text.strip() else 0

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)

    def end(self) -> tuple[int, str, str]:
        """SIGTERM; exit status and output."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@contextmanager
def daemon(variables: Mapping[str, object], program: str = "") -> Iterator[Daemon]:
    """Within the block a daemon runs, unless it is killed in it."""
    running = Daemon(variables, program)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate(timeout=PATIENCE)


class Client:
    """A process that obtains the trace of a queue."""

    def __init__(self, variables: Mapping[str, object], size: int, program: str = CLIENT) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(size)],
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self) -> dict[str, Any]:
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, err
        return json.loads(out.splitlines()[-1])


def obtain(variables: Mapping[str, object], size: int, program: str = CLIENT) -> dict[str, Any]:
    """What one client gets."""
    return Client(variables, size, program).result()


def marks(place: Path) -> list[str]:
    """Keys that are still to be saved behind."""
    return pending.keys(CacheDirectory(str(place / "cache"), ".trace"))


def status(place: Path) -> dict[str, Any]:
    """What the daemon says of itself."""
    answer = ask(Place(str(place / "d")), "status")
    assert answer is not None
    return answer
