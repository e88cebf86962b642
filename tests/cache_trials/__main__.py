"""The command line of the trials."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from . import (
    away,
    behind,
    copies,
    costs,
    damage,
    failures,
    hostile,
    kills,
    later,
    limits,
    readers,
    served,
    sharing,
    stampede,
    strace,
)
from .setting import Tally

# A name, the default count, the trial.
TRIALS: dict[str, tuple[int, Callable[..., Tally]]] = {
    "one-key": (64, stampede.one_key),
    "two-paths": (12, partial(stampede.one_key, second="link")),
    "two-mounts": (12, partial(stampede.one_key, second="mount")),
    "local-caches": (64, stampede.local_caches),
    "holder-killed": (16, stampede.holder_killed),
    "holder-killed-10-s": (64, partial(stampede.holder_killed, term=10)),
    "skewed-clocks": (12, stampede.skewed),
    "random-kills": (500, kills.random_points),
    "kill-at-each-call": (1, kills.each_call),
    "kill-by-strace": (1, strace.each_system_call),
    "failures": (1, failures.sweep),
    "shared-fails": (1, behind.fails),
    "shared-hangs": (1, behind.hangs),
    "later-kills": (200, later.random_points),
    "later-kill-at-each-call": (1, later.each_call),
    "later-fails": (1, later.fails),
    "remote-fails": (1, away.trials),
    "damage": (2000, damage.flips),
    "verify": (10_000, damage.many),
    "limits": (400, limits.crowd),
    "readers": (1000, readers.under_way),
    "hostile": (20, hostile.entries),
    "sharing": (10, sharing.group),
    "large": (256, costs.large),
    "one-copy": (1024, copies.one),
    "hit": (1000, costs.hit),
    "daemon-killed": (100, served.killed),
    "daemon-one-key": (64, served.one_key),
    "daemon-two-nodes": (24, served.two_nodes),
    "daemon-acknowledged": (40, served.acknowledged),
    "daemon-hit": (1000, served.hit),
}


def main(name: str, *options: str) -> int:
    count, trial = TRIALS[name]
    numbers = [int(option) for option in options if option != "planted"]
    tally = trial(numbers[0] if numbers else count, planted="planted" in options)
    return tally.report(name)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
