"""The trials of the trace cache with more than one machine, each first against a cache with a bug.

What they need is in `tests/cache_trials/machines/__init__.py`; a trial that lacks it says so.
"""

from __future__ import annotations

import tempfile

from checks import cache
from checks.sandbox import Sandbox

# Name, count, count at which the planted bug is found.
TRIALS = [
    ("slurm-array", 200, 32),
    ("slurm-local-caches", 200, 32),
    ("slurm-scripts", 30, 30),
    ("mount-fails", 1, 40),
    ("mount-stopped", 60, 15),
    ("mount-silent", 60, 15),
    ("nfs-new-entry", 10, 1),
    ("nfs-one-key", 12, 12),
    ("nfs-hangs", 60, 30),
    ("power-cut", 8, 1),
]


def trials(sandbox: Sandbox) -> None:
    """Prints the counts of each."""
    with tempfile.TemporaryDirectory() as folder:
        cache.perform(sandbox, "cache_trials.machines", TRIALS, {"CACHE_TRIALS_IN": folder})
