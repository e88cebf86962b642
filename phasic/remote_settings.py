"""The remote cache as the configuration says: where it is, what keeps from asking it, leases.

Nothing here asks the network, and a package is looked for only where something is configured.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from . import config
from .cache.breaker import Breaker
from .cache.counts import Counts
from .cache.objects import HINT, Location, Objects
from .cache.redis_lease import RedisLeases


def location() -> Location:
    """Where objects are."""
    return Location(
        config.get_str("cache_remote_url"),
        config.get_str("cache_remote_endpoint"),
        config.get_str("cache_remote_region"),
    )


def objects() -> Objects:
    """The objects there.

    Raises:
        DependencyError: the package for it is not installed.
    """
    return _objects(location(), config.get_float("cache_deadline_seconds"))


def counts(folder: str) -> Counts:
    """What was counted of the remote cache, in a folder."""
    return Counts(folder, f"remote:{location().url}")


def breaker(folder: str) -> Breaker:
    """What a process has found out about the location holds for all that it does with it."""
    return _breaker(location(), folder)


def leases(folder: str) -> RedisLeases:
    """Leases among the machines that have the location, with counts in a folder.

    Raises:
        DependencyError: the package for it is not installed.
    """
    where = location()
    return _leases(
        config.get_str("cache_redis_url"),
        config.get_str("cache_redis_user"),
        config.get_str("cache_redis_password_file"),
        sha256(f"{where.endpoint} {where.url}".encode()).hexdigest()[:16],
        config.get_float("cache_lease_seconds"),
        config.get_float("cache_deadline_seconds"),
        folder,
    )


@cache
def _objects(where: Location, seconds: float) -> Objects:
    return Objects(where, seconds)


@cache
def _breaker(where: Location, folder: str) -> Breaker:
    return Breaker("the remote cache", HINT, Counts(folder, f"remote:{where.url}"))


@cache
def _leases(
    url: str, user: str, file: str, space: str, term: float, seconds: float, folder: str
) -> RedisLeases:
    return RedisLeases(url, user, file, space, term, seconds, Counts(folder, f"redis:{url}"))
