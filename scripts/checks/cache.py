"""The trials of the trace cache at full length, each first against a cache with a bug."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from checks import suite
from checks.commands import ROOT, CheckFailed
from checks.sandbox import Sandbox

# Name, count, count at which the planted bug is found.
TRIALS = [
    ("one-key", 64, 64),
    ("two-paths", 12, 12),
    ("local-caches", 64, 12),
    ("holder-killed-10-s", 64, 16),
    ("skewed-clocks", 48, 12),
    ("random-kills", 500, 80),
    ("kill-at-each-call", 1, 1),
    ("kill-by-strace", 1, 1),
    ("failures", 1, 20),
    ("shared-fails", 1, 40),
    ("shared-hangs", 1, 40),
    ("remote-fails", 40, 4000),
    ("later-kills", 200, 40),
    ("later-kill-at-each-call", 1, 6),
    ("later-fails", 1, 40),
    ("damage", 2000, 40),
    ("verify", 10_000, 400),
    ("limits", 1000, 160),
    ("readers", 1000, 150),
    ("hostile", 20, 3),
    ("large", 256, 80),
    ("one-copy", 1024, 32),
    ("hit", 1000, 200),
    ("daemon-killed", 100, 6),
    ("daemon-one-key", 64, 8),
    ("daemon-two-nodes", 24, 8),
    ("daemon-acknowledged", 40, 6),
    ("daemon-hit", 1000, 200),
]
# Where we may be other users and mount directories.
TRIALS_OF_ROOT = [("sharing", 20, 1), ("two-mounts", 12, 12)]

NOT_INSTALLED = 3  # how a trial ends that lacks a program, which it has said


def trials(sandbox: Sandbox) -> None:
    """Prints the counts of each."""
    if os.geteuid() == 0:
        _all(sandbox, TRIALS + TRIALS_OF_ROOT)
        return
    _all(sandbox, TRIALS)
    skipped = ", ".join(name for name, _, _ in TRIALS_OF_ROOT)
    print(f"not tried, since they need root: {skipped}")


def large_entry(sandbox: Sandbox, mebibytes: int) -> None:
    """One entry of that size; the trial needs two and a half times as much memory."""
    _all(sandbox, [("large", mebibytes, 80)])


def _all(sandbox: Sandbox, asked: list[tuple[str, int, int]]) -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    from cache_trials import launch

    with tempfile.TemporaryDirectory() as folder:
        library = launch.build_shim(Path(folder))
        perform(sandbox, "cache_trials", asked, {"LD_PRELOAD": str(library)})


def perform(
    sandbox: Sandbox, module: str, asked: list[tuple[str, int, int]], extra: dict[str, str]
) -> None:
    """Trials of a module (name, count, count at which it fires), each first with a planted bug."""
    broken = []
    variables = suite.variables(None) | {"PYTHONPATH": str(ROOT / "tests")} | extra
    for name, count, fires_at in asked:
        command = ["python", "-m", module, name]
        status, output = sandbox.outcome([*command, str(fires_at), "planted"], extra=variables)
        if status == NOT_INSTALLED:
            print(output, end="", flush=True)
            continue
        if status != 1 or "broken: " not in output:
            print(output)
            broken.append(f"{name} did not find a planted bug")
            continue
        print(f"{name}: fires on a planted bug", flush=True)
        status, output = sandbox.outcome([*command, str(count)], extra=variables)
        print(output, end="", flush=True)
        if status != 0:
            broken.append(name)
    if broken:
        raise CheckFailed(f"the cache breaks promises: {', '.join(broken)}")
