"""What the daemon has done since it started, and its numbers as Prometheus reads them.

The text format is a few lines a number (https://prometheus.io/docs/instrumenting/exposition_formats):
HELP, TYPE, and a value.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping

COUNTED = {
    "requests": "requests that were served",
    "refused": "connections that were refused: another user, version or directory, or too many",
    "bad_messages": "connections that were ended since what came was no message",
    "lost_clients": "clients that ended before their request did",
    "collections": "collections of the local directory",
    "evicted": "entries that a collection removed",
    "scrubbed": "entries that were verified",
    "scrubbed_damaged": "entries that were found damaged and set aside",
    "drains": "times that what was marked was saved behind",
}


class Metrics:
    """Counters since the start; any thread may count."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._counts = Counter(dict.fromkeys(COUNTED, 0))

    def add(self, name: str, number: int = 1) -> None:
        """Counts an event of `COUNTED`."""
        with self._lock:
            self._counts[name] += number

    def read(self) -> dict[str, int]:
        """All counters by name."""
        with self._lock:
            return dict(self._counts)

    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began


def text(
    metrics: Metrics,
    gauges: Mapping[str, tuple[str, float]],
    tiers: Mapping[str, Mapping[str, int]],
    events: Mapping[str, str],
) -> str:
    """The numbers as Prometheus reads them.

    Args:
        metrics: counters since the start.
        gauges: present values by name, each with what it is.
        tiers: the counters of each tier.
        events: what those are.
    """
    lines = []
    for name, value in metrics.read().items():
        metric = f"phasic_daemon_{name}_total"
        lines += [f"# HELP {metric} {COUNTED[name]}", f"# TYPE {metric} counter"]
        lines.append(f"{metric} {value}")
    for name, (meaning, number) in gauges.items():
        metric = f"phasic_daemon_{name}"
        lines += [f"# HELP {metric} {meaning}", f"# TYPE {metric} gauge", f"{metric} {number:g}"]
    for event, meaning in events.items():
        metric = f"phasic_cache_{event}_total"
        lines += [f"# HELP {metric} {meaning}", f"# TYPE {metric} counter"]
        lines += [f'{metric}{{tier="{tier}"}} {counts[event]}' for tier, counts in tiers.items()]
    return "\n".join(lines) + "\n"
