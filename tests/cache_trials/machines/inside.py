"""What runs in a virtual machine: `python -m cache_trials.machines.inside NAME ARGUMENTS`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from ..setting import Tally


def tell(**what: object) -> None:
    """An object to the machine outside."""
    with open("/dev/ttyS1", "w") as port:
        port.write(json.dumps(what) + "\n")


def main(name: str, *arguments: str) -> None:
    from . import nfs, power

    programs: dict[str, Callable[..., Tally]] = {
        "nfs-new-entry": nfs.see_new_entries,
        "nfs-one-key": nfs.want_one_key,
        "nfs-hangs": nfs.go_on_without,
        "publish": power.publish_for_ever,
        "verify": power.verify,
    }
    tally = programs[name](*arguments)
    tell(counts=dict(tally.counts), broken=tally.broken)


if __name__ == "__main__":
    main(*sys.argv[1:])
