"""The command line of the trials with machines."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ..setting import Tally
from . import mounts, namespaces, nfs, power, slurm, slurm_scripts
from .tools import NotInstalled

NOT_INSTALLED = 3

# A name, the default count, the trial.
TRIALS: dict[str, tuple[int, Callable[..., Tally]]] = {
    "slurm-array": (200, slurm.one_directory),
    "slurm-local-caches": (200, slurm.local_caches),
    "slurm-scripts": (30, slurm_scripts.submit),
    "mount-fails": (1, mounts.fails),
    "mount-stopped": (60, mounts.stopped),
    "mount-silent": (60, mounts.silent),
    "power-cut": (8, power.cut),
    "nfs-new-entry": (10, nfs.new_entry),
    "nfs-one-key": (12, nfs.one_key),
    "nfs-hangs": (60, nfs.hangs),
}


def main(name: str, *options: str) -> int:
    count, trial = TRIALS[name]
    numbers = [int(option) for option in options if option != "planted"]
    try:
        namespaces.enter([name, *options])
        tally = trial(numbers[0] if numbers else count, planted="planted" in options)
    except NotInstalled as reason:
        print(f"{name}: not tried: {reason}")
        return NOT_INSTALLED
    return tally.report(name)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
