"""The cache directory: whom it trusts, whether it takes files as it must, what lies in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from phasic import config
from phasic.cli.checks.file_system import check_here, check_room
from phasic.cli.checks.finding import Finding, State, advice, ok, problem
from phasic.errors import CacheError, ConfigError

if TYPE_CHECKING:
    from phasic.cache.counts import Counts

_SLOW = 1.0
_TO_ANOTHER = "choose another with `phasic config set cache_dir`"


def check_cache() -> Iterator[Finding]:
    """From whether it is used down to the file system under it."""
    from phasic.trace_stores import file_store

    try:
        enabled = not config.get_bool("disable_cache")
        directory = file_store().directory
        high_bytes = config.get_int("cache_high_bytes")
    except ConfigError:
        return  # the settings say so
    if not enabled:
        yield advice(
            "cache",
            "disable_cache is set",
            "every run records anew: unset PHASIC_DISABLE_CACHE, or `phasic config set"
            " disable_cache --default`",
        )
        return
    try:
        exists = directory.status() is not None
        entries = directory.entries()
        aside = directory.quarantined()
    except CacheError as error:
        yield problem("cache", error.message, error.hint or "")
        return
    used = sum(entry.n_bytes for entry in entries)
    if exists:
        yield ok("cache", f"{directory.path}, {len(entries):,} traces, {used:,} bytes")
    else:
        yield ok("cache", f"{directory.path}, which is made when it is needed")
    if aside:
        yield advice(
            "damaged traces",
            f"{len(aside):,} set aside",
            "they are recorded anew by themselves; where more come, the disk or its cable may fail",
        )
    place = _existing(directory.path)
    yield check_writing(place)
    yield from check_here(place)
    yield from check_room(place, high_bytes, used)
    yield from check_counters(file_store().counts)


def check_counters(counts: Counts) -> Iterator[Finding]:
    """Whether hits and misses can be counted; a file for them is not made here."""
    if os.path.lexists(counts.path):
        not_counted = counts.problem()
    else:
        tried = check_writing(_existing(os.path.dirname(counts.path)))
        not_counted = tried.found if tried.state is State.PROBLEM else None
    if not_counted:
        yield advice(
            "counters",
            not_counted,
            "hits and misses are not counted: choose another place with `phasic config set"
            " state_dir`",
        )


def _existing(path: str) -> str:
    """The directory, or the nearest above it that is there."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def check_writing(folder: str) -> Finding:
    """Writes, flushes, links and removes a file, as keeping a trace does."""
    first = os.path.join(folder, f".phasic-doctor-{os.getpid()}")
    second = f"{first}-linked"
    began = perf_counter()
    try:
        try:
            file = os.open(first, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, b"phasic doctor")
                os.fsync(file)
            finally:
                os.close(file)
            os.link(first, second)
        finally:
            for path in (first, second):
                if os.path.lexists(path):
                    os.unlink(path)
    except OSError as error:
        return problem(
            "writing",
            f"{error.filename or folder}: {error.strerror}",
            f"traces cannot be kept: let yourself write there, or {_TO_ANOTHER}",
        )
    seconds = perf_counter() - began
    found = f"a file is written, linked and removed in {seconds:.3f} s"
    if seconds > _SLOW:
        return advice(
            "writing", found, f"that is slow: where one machine alone needs it, {_TO_ANOTHER}"
        )
    return ok("writing", found)
