"""Measurements in fresh processes: a JSON request goes in, a JSON answer comes out."""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from measure import limit_memory

MEMORY_BYTES = 8 << 30
Request = dict[str, Any]
Task = Callable[[Request], dict[str, Any]]


class Absent(Exception):
    """A contender cannot take part; the report says so in its place."""

    def __init__(self, who: str, reason: str) -> None:
        super().__init__(f"{who} is absent: {reason}")
        self.who = who
        self.reason = reason


class Failed(Exception):
    """A contender took part and gave no answer: it crashed, or ran out of time or memory."""


def call(
    python: Path,
    script: Path,
    request: Request,
    variables: Mapping[str, str],
    work_dir: Path,
    timeout: float,
) -> Any:
    """Runs `script` with the request in a process of its own and returns its answer."""
    try:
        done = subprocess.run(
            [str(python), str(script), json.dumps(request)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=dict(variables),
            cwd=work_dir,
        )
    except subprocess.TimeoutExpired as late:
        raise Failed(f"no answer in {timeout:.0f} s") from late
    if done.returncode < 0:
        raise Failed(f"killed by signal {-done.returncode}")
    if done.returncode:
        raise Failed((done.stderr.strip().splitlines() or ["no message"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def serve(tasks: list[Task]) -> None:
    """The other side: does the task that the request names and prints its answer."""
    warnings.simplefilter("ignore")
    limit_memory(MEMORY_BYTES)
    request = json.loads(sys.argv[1])
    by_name = {task.__name__: task for task in tasks}
    print(json.dumps(by_name[request["task"]](request)))
