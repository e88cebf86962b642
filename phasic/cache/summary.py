"""What a cache directory holds, in numbers: entries, bytes, histograms of ages and sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from . import access, pins
from .directory import CacheDirectory, Entry

# Upper bounds of the classes, the last class has none.
AGES: Sequence[tuple[str, float]] = (
    ("1 hour", 3_600.0),
    ("1 day", 86_400.0),
    ("1 week", 7 * 86_400.0),
    ("30 days", 30 * 86_400.0),
    ("1 year", 365 * 86_400.0),
)
SIZES: Sequence[tuple[str, float]] = (
    ("4 KiB", 1 << 12),
    ("64 KiB", 1 << 16),
    ("1 MiB", 1 << 20),
    ("16 MiB", 1 << 24),
    ("256 MiB", 1 << 28),
    ("4 GiB", 1 << 32),
)


@dataclass(frozen=True)
class Summary:
    """Numbers of entries and other files, bytes, and how many entries are in each class.

    `ages` counts by the time since an entry was last used, or written where no uses are noted.
    """

    entries: int
    bytes: int
    pinned: int
    quarantined: int
    ages: dict[str, int]
    sizes: dict[str, int]


def summarise(directory: CacheDirectory, now: float) -> Summary:
    """Reads the directory once.

    Raises:
        CacheError: it cannot be read, or is not trusted.
    """
    entries = directory.entries()
    uses = access.last_uses(directory)
    kept = pins.pinned(directory)
    return summary_of(entries, now, uses, kept, len(directory.quarantined()))


def summary_of(
    entries: Sequence[Entry],
    now: float,
    uses: Mapping[str, float] = MappingProxyType({}),
    kept: frozenset[str] = frozenset(),
    quarantined: int = 0,
) -> Summary:
    """Of entries wherever they are; `uses` and `kept` tell of uses and pins by key."""
    return Summary(
        entries=len(entries),
        bytes=sum(entry.n_bytes for entry in entries),
        pinned=sum(entry.key in kept for entry in entries),
        quarantined=quarantined,
        ages=_histogram((now - access.last_use(entry, uses) for entry in entries), AGES),
        sizes=_histogram((entry.n_bytes for entry in entries), SIZES),
    )


def _histogram(values: Iterable[float], classes: Sequence[tuple[str, float]]) -> dict[str, int]:
    """How many values lie below each bound and not below the one before."""
    counted = {f"< {label}": 0 for label, _ in classes} | {f">= {classes[-1][0]}": 0}
    labels = list(counted)
    for value in values:
        place = next((n for n, (_, bound) in enumerate(classes) if value < bound), len(classes))
        counted[labels[place]] += 1
    return counted
