"""The daemon as the configuration says: where it is, and whether this process goes through it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from . import config
from .cache.counts import Counts
from .daemon.client import Client
from .daemon.place import Place


def place() -> Place:
    """Where the daemon of this node and user is or would be.

    `daemon_dir` of the configuration; else `phasic` in `XDG_RUNTIME_DIR`, if that is ours (that of
    the user who called sudo is not); else a directory of this node's in `state_dir`, which nodes
    may share.
    """
    folder = config.get_str("daemon_dir")
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not folder and _is_ours(runtime):
        folder = os.path.join(runtime, "phasic")
    return Place(folder or os.path.join(_state(), _node()))


def served(places: Mapping[str, str]) -> dict[str, str]:
    """What a daemon and its clients must agree on: where each tier is, and the ways to get there.

    Credentials are the daemon's alone, and so is what else the environment says (`AWS_*`).
    """
    behind = ("cache_remote_endpoint", "cache_remote_region", "cache_redis_url")
    ways = behind if "cache_remote_url" in places else ()
    return {**places, **{name: config.get_str(name) for name in ways}}


def log_path() -> str:
    """The daemon's log; older ones lie beside it."""
    return os.path.join(_state(), f"{_node()}.log")


def client(places: Mapping[str, str], counts_folder: str) -> Client | None:
    """How this process asks the daemon; None: it does not, or none has been there.

    Args:
        places: where each tier is, `cache_dir` first.
        counts_folder: where losing it is counted.
    """
    mode = config.get_str("daemon")
    if mode == "off":
        return None
    where = place()
    if mode == "auto" and not where.is_inhabited():
        return None
    return _client(where.folder, tuple(served(places).items()), counts_folder, mode == "require")


@cache  # what a process has found out holds for all its requests
def _client(
    folder: str, places: tuple[tuple[str, str], ...], counts_folder: str, required: bool
) -> Client:
    counts = Counts(counts_folder, os.path.realpath(places[0][1]))
    return Client(Place(folder), dict(places), counts, required)


def _is_ours(runtime: str) -> bool:
    if not os.path.isabs(runtime):
        return False
    try:
        return os.stat(runtime).st_uid == os.geteuid()
    except OSError:
        return False


def _state() -> str:
    return os.path.join(config.get_str("state_dir"), "daemon")


def _node() -> str:
    return os.uname().nodename.replace("/", "_")
