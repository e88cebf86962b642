"""Stores of traces, tier by tier, as the configuration says.

The nearest tier is a directory of this machine, behind it may be a shared directory and object
storage, and before these two a daemon. What the entries are is in the codec: trace files, which the
engine reads and publishes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from . import config, daemon_settings, errors
from .cache import compression
from .cache.collector import DAY, Limits
from .cache.compressed import TwoForms
from .cache.counts import Counts
from .cache.directory import CacheDirectory
from .cache.reach import Deadline
from .cache.store import Policy, Store
from .cache.tiers import Tier as AnyTier
from .cache.tiers import Tiers
from .cache.write_behind import WriteBehind
from .daemon.through import Through

if TYPE_CHECKING:
    from ._engine.stored_trace import StoredTrace
    from ._engine.trace import TraceHandle
    from .cache.redis_lease import RedisLeases
    from .cache.remote import RemoteTier

H = TypeVar("H", bound="StoredTrace")
SUFFIX = ".trace"
DirectoryTier: TypeAlias = Literal["local", "shared"]
Tier: TypeAlias = DirectoryTier | Literal["remote"]
_KEYS: dict[Tier, str] = {
    "local": "cache_dir",
    "shared": "cache_shared_dir",
    "remote": "cache_remote_url",
}
_VARIABLES = {"shared": "PHASIC_CACHE_SHARED_DIR", "remote": "PHASIC_CACHE_REMOTE_URL"}
_resumed: set[str] = set()  # local directories whose marks this process has looked at


def tiers() -> tuple[Tier, ...]:
    """Those that are configured, in the order in which they are asked."""
    return tuple(tier for tier, key in _KEYS.items() if config.get_str(key))


def _configured(tier: Tier) -> None:
    if tier not in tiers():
        raise errors.ConfigError(
            f"there is no {tier} cache",
            code="CACHE_NO_TIER",
            hint=f"{_VARIABLES[tier]} ({_KEYS[tier]} of the configuration) names one",
        )


def where(tier: Tier) -> str:
    """The directory of a tier, or where its objects are.

    Raises:
        ConfigError: there is no such tier.
    """
    _configured(tier)
    return config.get_str(_KEYS[tier])


def trace_directory(tier: DirectoryTier = "local") -> CacheDirectory:
    """The directory of a tier with its entries.

    Raises:
        ConfigError: there is no such tier.
    """
    _configured(tier)
    return CacheDirectory(config.get_str(_KEYS[tier]), SUFFIX)


def limits(tier: DirectoryTier = "local") -> Limits:
    """Those of the configuration, which are the local directory's.

    A shared one has none of its own accord: its many users may be configured differently.
    """
    if tier == "shared":
        return Limits()
    return Limits(
        high_bytes=config.get_int("cache_high_bytes"),
        low_bytes=config.get_int("cache_low_bytes"),
        max_age=config.get_int("cache_max_age_days") * DAY,
        min_free_bytes=config.get_int("cache_min_free_bytes"),
    )


def trace_store(tier: DirectoryTier = "local") -> Store[TraceHandle]:
    """The store of traces of one tier, as the configuration says."""
    return _store(_trace_handle, tier)


def file_store(tier: DirectoryTier = "local", instead: Limits | None = None) -> Store[StoredTrace]:
    """The same for those that handle traces as files; it loads no numpy.

    `instead` takes the place of the configured limits.
    """
    return _store(_stored_trace, tier, instead)


def trace_tiers() -> Tiers[TraceHandle]:
    """All tiers, as evaluations use them: those behind the nearest by the daemon where one is."""
    nearest = trace_store()
    if not tiers()[1:]:
        return Tiers([nearest])
    client = daemon_settings.client(places(), _counts_folder())
    if client is not None:
        return Through(nearest, client, lambda: _behind(_trace_handle))
    later = _write_behind(nearest, _trace_handle)
    if nearest.directory.path not in _resumed:
        _resumed.add(nearest.directory.path)
        later.resume()
    return later if config.get_bool("cache_write_behind") else Tiers([nearest, *later.behind])


def served_tiers() -> WriteBehind[StoredTrace]:
    """All tiers as the daemon has them: what it does with the local one is counted apart."""
    nearest = file_store()
    nearest.counts = served_counts()["local"]
    return _write_behind(nearest, _stored_trace)


def served_counts() -> dict[str, Counts]:
    """Where the daemon counts what it does, by tier."""
    local = f"daemon:{os.path.realpath(trace_directory().path)}"
    counts = {"local": Counts(_counts_folder(), local)}
    if "shared" in tiers():
        counts["shared"] = file_store("shared").counts
    if "remote" in tiers():
        counts["remote"] = file_remote().counts
    return counts


def _write_behind(nearest: Store[H], handle: Callable[[], type[H]]) -> WriteBehind[H]:
    return WriteBehind(nearest, _behind(handle), config.get_float("cache_deadline_seconds"))


def _behind(handle: Callable[[], type[H]]) -> list[AnyTier[H]]:
    return [_remote(handle) if tier == "remote" else _store(handle, tier) for tier in tiers()[1:]]


def _counts_folder() -> str:
    return os.path.join(config.get_str("state_dir"), "counts")


def places() -> dict[str, str]:
    """Where each tier is, by its key in the configuration."""
    return {_KEYS[tier]: config.get_str(_KEYS[tier]) for tier in tiers()}


def trace_remote() -> RemoteTier[TraceHandle]:
    """The traces in object storage, as the configuration says; nothing is asked of it yet.

    Raises:
        ConfigError: none is configured.
        DependencyError: a package for it is not installed.
    """
    return _remote(_trace_handle)


def file_remote() -> RemoteTier[StoredTrace]:
    """The same for those that handle traces as files; it loads no numpy."""
    return _remote(_stored_trace)


def _remote(handle: Callable[[], type[H]]) -> RemoteTier[H]:
    from . import remote_settings
    from .cache.remote import RemoteTier

    _configured("remote")
    return RemoteTier(
        remote_settings.objects(),
        _TraceCodec(handle),
        trace_directory(),
        config.get_int("max_trace_bytes"),
        remote_settings.counts(_counts_folder()),
        remote_settings.breaker(_counts_folder()),
        leases(),
        config.get_float("cache_wait_seconds"),
    )


def leases() -> RedisLeases | None:
    """Those among machines; None where no Redis is configured.

    Raises:
        DependencyError: the package for it is not installed.
    """
    if not config.get_str("cache_redis_url"):
        return None
    from . import remote_settings

    return remote_settings.leases(_counts_folder())


def _store(
    handle: Callable[[], type[H]], tier: DirectoryTier, instead: Limits | None = None
) -> Store[H]:
    directory = trace_directory(tier)
    policy = Policy(
        limits=limits(tier) if instead is None else instead,
        lease_seconds=config.get_float("cache_lease_seconds"),
        wait_seconds=config.get_float("cache_wait_seconds"),
    )
    folder = _counts_folder()
    least = config.get_int("cache_compress_bytes") if tier == "shared" else 0
    if least:
        compression.require()
    codec = TwoForms(
        _TraceCodec(handle),
        CacheDirectory(config.get_str("cache_dir"), SUFFIX),
        config.get_int("max_trace_bytes"),
        least,
    )
    if tier == "local":
        counts = Counts(folder, os.path.realpath(directory.path))
        return Store(directory, codec, counts, policy)
    seconds = config.get_float("cache_deadline_seconds")
    reach = _deadline(directory.path, config.get_str("cache_dir"), folder, seconds)
    return Store(directory, codec, _shared_counts(folder, directory.path), policy, reach)


@cache  # what a process has found out holds for all its stores
def _deadline(shared: str, local: str, folder: str, seconds: float) -> Deadline:
    return Deadline(shared, local, _shared_counts(folder, shared), seconds)


def _shared_counts(folder: str, shared: str) -> Counts:
    # By its name as it is given: to resolve links would be to ask the file system.
    return Counts(folder, f"shared:{shared}")


def _trace_handle() -> type[TraceHandle]:
    from ._engine.trace import TraceHandle

    return TraceHandle


def _stored_trace() -> type[StoredTrace]:
    from ._engine.stored_trace import StoredTrace

    return StoredTrace


class _TraceCodec(Generic[H]):
    """Entries are trace files, which the engine reads and publishes.

    `handle` gives the class of the values; it is loaded when the first is needed.
    """

    def __init__(self, handle: Callable[[], type[H]]) -> None:
        self._handle = handle

    def load(self, directory: str, key: str) -> H | None:
        return self._handle().load_entry(directory, bytes.fromhex(key))

    def read(self, path: str, key: str) -> H:
        trace = self._handle().load(path)
        if trace.hashes[1].hex() != key:
            raise errors.FormatError(
                f"{path} holds the trace of another graph than {key}", code="FORMAT_KEY"
            )
        return trace

    def save(self, directory: str, key: str, value: H) -> None:
        value.save_entry(directory)

    def write(self, path: str, value: H) -> None:
        value.save(path)

    def set_aside(self, directory: str, key: str) -> None:
        self._handle().quarantine_entry(directory, bytes.fromhex(key))
