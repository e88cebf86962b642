"""Users of one group in one directory, with umasks 077 and 022; and directories not to be trusted.

Needs root, who can be anybody.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from phasic import trace_cache, trace_stores
from phasic._engine.trace import TraceHandle
from phasic.cache import directory as directory_module
from phasic.cache import pins
from phasic.errors import CacheError
from phasic.trace_elimination import obtain_trace, record_elimination_trace
from rules import queue_graph

from .setting import Child, Tally, cache_in, replaced, scratch

GROUP = 54_321
USERS = {50_001: 0o077, 50_002: 0o022}  # a user's umask
STRANGER = 50_003


@contextmanager
def planted_bug(planted: bool) -> Iterator[None]:
    """Housekeeping directories are opened to nobody, and every directory is trusted."""
    with (
        replaced(planted, os, chmod=lambda *arguments, **options: None),
        replaced(planted, directory_module, _is_trusted=lambda about: True),
    ):
        yield


def group(rounds: int, *, planted: bool) -> Tally:
    """`rounds` times each user records what the other then reads, and mends what is damaged."""
    tally = Tally()
    tally.counts |= {"shared": 0, "mended": 0, "evicted": 0, "refused": 0}
    if os.geteuid() != 0:
        tally.broken.append("needs root, who can be anybody")
        return tally
    with scratch() as place:
        obtain_trace(queue_graph(3))  # loads all modules, which others may not read
        place.chmod(0o711)
        cache = place / "cache"
        cache.mkdir()
        os.chown(cache, next(iter(USERS)), GROUP)
        cache.chmod(0o2770)
        with planted_bug(planted):
            for number in range(rounds):
                for user, other in (tuple(USERS), tuple(USERS)[::-1]):
                    _share(tally, place, cache, user, other, 10 * number + user % 10)
            _together(tally, place, cache)
            _limit(tally, place, cache)
            _refuse(tally, place)
        tally.must(tally.counts["shared"] == 2 * rounds, "each reads what the other has recorded")
    return tally


def _as_user(user: int, place: Path, action: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the action gives, done by the user."""
    return _result(_by(user, place, action))


def _by(user: int, place: Path, action: Callable[[], dict[str, Any]]) -> Child:
    state = place / f"state.{user}"
    if not state.exists():
        state.mkdir()
        os.chown(state, user, GROUP)

    def become() -> dict[str, Any]:
        os.environ |= {"PHASIC_STATE_DIR": str(state), "HOME": str(state)}
        os.setgroups([] if user == STRANGER else [GROUP])
        os.setgid(user)
        os.setuid(user)
        os.umask(USERS.get(user, 0o022))
        return action()

    return Child(become)


def _result(child: Child) -> dict[str, Any]:
    return child.wait().result or {"warnings": {"DIED": 1}}


def _together(tally: Tally, place: Path, cache: Path) -> None:
    """Both users want one trace at once, in four processes each: one recording."""
    graph = queue_graph(7)
    marks = place / "marks"
    marks.mkdir()
    subprocess.run(["chmod", "777", marks], check=True)

    def record() -> TraceHandle:
        (marks / str(os.getpid())).touch()
        time.sleep(0.3)
        return record_elimination_trace(graph).handle

    def want() -> dict[str, Any]:
        obtained = trace_cache.obtain(graph.frozen.trace_key, record)
        return {"bytes": len(obtained.value.encode())}

    with cache_in(cache):
        children = [_by(user, place, want) for user in tuple(USERS) * 4]
        results = [_result(child) for child in children]
    said = [result["warnings"] for result in results if result["warnings"]]
    tally.must(not said, f"together: nobody has a reason to warn: {said}")
    tally.counts["recordings for 8"] = len(list(marks.iterdir()))
    tally.must(tally.counts["recordings for 8"] == 1, "together: one recording")


def _share(tally: Tally, place: Path, cache: Path, user: int, other: int, size: int) -> None:
    graph = queue_graph(20 + size)
    key = graph.frozen.trace_key.hex()

    def obtain() -> dict[str, Any]:
        _, recorded, kept = obtain_trace(graph)
        return {"recorded": recorded, "kept": kept}

    def spoil() -> dict[str, Any]:
        path = cache / f"{key}.trace"
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data[:-1])
        path.chmod(0o440)
        return {}

    with cache_in(cache):
        first, second = _as_user(user, place, obtain), _as_user(other, place, obtain)
        shared = first.get("recorded") and first.get("kept") and second.get("recorded") is False
        tally.counts["shared"] += bool(shared)
        said = first["warnings"] | second["warnings"]
        tally.must(not said, f"umask {USERS[user]:03o}: nobody has a reason to warn: {said}")
        if not shared:
            return
        _as_user(user, place, spoil)
        mended, after = _as_user(other, place, obtain), _as_user(user, place, obtain)
        tally.counts["mended"] += bool(mended.get("recorded") and after.get("recorded") is False)
        said = mended["warnings"] | after["warnings"]
        tally.must(said == {"CACHE_ENTRY_BAD": 1}, f"the other sets aside what is damaged: {said}")


def _limit(tally: Tally, place: Path, cache: Path) -> None:
    """One pins; the other's limits take the rest, whoever wrote it."""
    user, other = USERS
    with cache_in(cache):
        # Root is none of the group, and is refused by the library.
        keys = sorted(path.stem for path in cache.glob("*.trace"))
        if not keys:
            return
        kept = keys[0]

        def pin() -> dict[str, Any]:
            return {"pinned": pins.pin(trace_stores.trace_directory(), kept)}

        def collect() -> dict[str, Any]:
            collected = trace_stores.trace_store().collector.collect()
            return {"keys": [entry.key for entry in collected.entries]}

        _as_user(user, place, pin)
        with cache_in(cache, cache_high_bytes=1):
            gone = _as_user(other, place, collect).get("keys", [])
        tally.counts["evicted"] += len(gone)
        tally.must(sorted([*gone, kept]) == keys, "all but the pinned one go")


def _refuse(tally: Tally, place: Path) -> None:
    """Directories that others may write to, or of others."""
    graph = queue_graph(9)
    user, other = USERS
    cases = {
        "world-writable": (user, GROUP, 0o2777, user),
        "world-writable and sticky": (user, GROUP, 0o1777, user),
        "another's": (other, GROUP, 0o755, user),
        "another's, for a group not ours": (other, other, 0o2775, user),
        "a group's, for a stranger": (user, GROUP, 0o2775, STRANGER),
    }

    def use() -> dict[str, Any]:
        _, recorded, kept = obtain_trace(graph)
        refused = 0
        directory = trace_stores.trace_directory()
        for ask in (directory.entries, directory.clear, lambda: pins.pin(directory, "0" * 64)):
            try:
                ask()
            except CacheError as error:
                refused += error.code == "CACHE_UNTRUSTED"
        return {"recorded": recorded, "kept": kept, "refused": refused}

    for name, (owner, of_group, mode, asker) in cases.items():
        cache = place / f"cache.{name}"
        cache.mkdir()
        os.chown(cache, owner, of_group)
        subprocess.run(["chmod", f"{mode:o}", cache], check=True)  # os.chmod may be planted
        with cache_in(cache):
            seen = _as_user(asker, place, use)
        refused = seen.get("recorded") and not seen.get("kept") and seen.get("refused") == 3
        tally.must(bool(refused), f"{name}: refused: {seen}")
        loud = {"CACHE_READ_FAILED", "CACHE_SAVE_FAILED"}
        tally.must(set(seen["warnings"]) == loud, f"{name}: loudly: {seen}")
        tally.must(not list(cache.iterdir()), f"{name}: nothing is written there")
        tally.counts["refused"] += bool(refused)
