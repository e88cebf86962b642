"""Measurements in fresh processes: a JSON request goes in, a JSON answer comes out."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from measure import limit_memory

MEMORY_BYTES = 8 << 30
CPU_SECONDS = 40
POLL_SECONDS = 0.5
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
    cpu_seconds: float | None = None,
) -> Any:
    """Runs `script` with the request in a process of its own and returns its answer.

    It has `cpu_seconds` for that, or the `CPU_SECONDS` of all.
    """
    limit_seconds = CPU_SECONDS if cpu_seconds is None else cpu_seconds
    child = subprocess.Popen(
        [str(python), str(script), json.dumps(request)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(variables),
        cwd=work_dir,
    )
    while True:
        try:
            output, errors = child.communicate(timeout=POLL_SECONDS)
            break
        except subprocess.TimeoutExpired as waiting:
            if _cpu_seconds(child.pid) > limit_seconds:
                child.kill()
                child.communicate()
                raise Failed(f"no answer in {limit_seconds} s of CPU time") from waiting
    if child.returncode < 0:
        limit = f"memory is limited to {MEMORY_BYTES >> 30} GiB"
        raise Failed(f"killed by signal {-child.returncode} ({limit})")
    if child.returncode:
        raise Failed((errors.strip().splitlines() or ["no message"])[-1])
    return json.loads(output.strip().splitlines()[-1])


def _cpu_seconds(process: int) -> float:
    # Not RLIMIT_CPU: with it Linux counts a process's CPU time in ticks of some milliseconds.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(tasks: list[Task]) -> None:
    """The other side: does the task that the request names and prints its answer."""
    warnings.simplefilter("ignore")
    limit_memory(MEMORY_BYTES)
    request = json.loads(sys.argv[1])
    by_name = {task.__name__: task for task in tasks}
    print(json.dumps(by_name[request["task"]](request)))
