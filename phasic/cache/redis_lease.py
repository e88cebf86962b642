"""Leases among machines that share no directory, and word when one is given back, by Redis.

A lease is a key with its holder's token and a term, which the holder renews four times a term: the
server's clock alone counts. It is given back by comparing the token and deleting in one step, so
nobody takes another's away, and those that wait are told on a channel at once. One that was killed
has one successor when its term is over. Redis is a convenience: where it is away, does not answer
or refuses, that is one warning and one count, and every machine records for itself.
"""

from __future__ import annotations

import os
import secrets
import stat
import threading
import time
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from typing import Any, TypeVar

from ..errors import CacheError, ConfigError, DependencyError
from ..messages import debug
from .breaker import TIER_DOWN, Breaker
from .counts import Counts
from .lease import BEATS_A_TERM, Turn

R = TypeVar("R")
PASSWORD_VARIABLE = "REDISCLI_AUTH"
_LONGEST_ANSWER_SECONDS = 5.0
_RENEW = """
if redis.call('get', KEYS[1]) == ARGV[1] then
    return redis.call('pexpire', KEYS[1], ARGV[2])
end
return 0
"""
_GIVE_BACK = """
if redis.call('get', KEYS[1]) == ARGV[1] then
    redis.call('del', KEYS[1])
    redis.call('publish', KEYS[2], 'over')
end
return 0
"""


class RedisLeases:
    """The leases of one name space. Making it asks nothing of the server.

    Args:
        url: `redis://host:port/db`, `rediss://` or `unix:///socket?db=n`, without credentials.
        user: of an access list; "": the default one.
        password_file: where the password is, for its owner alone to read; "": it is in the
            environment (`REDISCLI_AUTH`), or there is none.
        space: which keys belong together.
        term: seconds after which a holder counts as dead.
        seconds: the longest wait for an answer.
        counts: where failures are counted.

    Raises:
        DependencyError: the package is not installed.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password_file: str,
        space: str,
        term: float,
        seconds: float,
        counts: Counts,
    ) -> None:
        if find_spec("redis") is None:
            raise DependencyError(
                f"leases in {url} need the package redis, which is not installed",
                code="REDIS_MISSING",
                hint="pip install 'phasic[redis]', or unset cache_redis_url",
            )
        self.url = url
        self.hint = HINT
        self.counts = counts
        self.term = term
        self._user = user
        self._password_file = password_file
        self._space = space
        self._seconds = min(seconds, _LONGEST_ANSWER_SECONDS)
        self._breaker = Breaker("leases in Redis", HINT, counts)

    def __call__(self, key: str) -> RedisLease:
        """The lease of a key."""
        return RedisLease(self, f"phasic:{self._space}:{key}")

    def problem(self) -> str | None:
        """Why it cannot be used; None where it can."""
        try:
            self.ask(lambda client: client.ping())
        except CacheError as error:
            return error.message
        return None

    def attempt(self, action: Callable[[Any], R]) -> R | None:
        """What the client gives; None, and said, where it cannot be asked."""
        try:
            return self._breaker(lambda: self.ask(action))
        except CacheError:
            return None

    def ask(self, action: Callable[[Any], R]) -> R:
        """What the client gives.

        Raises:
            CacheError: it cannot be asked (`TIER_DOWN`).
        """
        from redis import exceptions

        try:
            return action(self._client)
        except (exceptions.RedisError, OSError) as error:
            if isinstance(error, CacheError):
                raise
            # Its words are not repeated: they may hold what the configuration held.
            raise CacheError(f"{self.url} {_told(error)}", code=TIER_DOWN, hint=HINT) from None

    @cached_property
    def _client(self) -> Any:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        return redis.Redis.from_url(
            self.url,
            username=self._user or None,
            password=password(self._password_file),
            socket_timeout=self._seconds,
            socket_connect_timeout=self._seconds,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )


class RedisLease:
    """A claim on a key among machines."""

    def __init__(self, leases: RedisLeases, name: str) -> None:
        self._leases = leases
        self._name = name
        self._channel = f"{name}:over"
        self._token = secrets.token_hex(16)
        self._term_ms = max(1, round(1000 * leases.term))
        self._heard: Any = None
        self._over = False
        self._held = False
        self._released = threading.Event()
        self._beating: threading.Thread | None = None

    def ask(self) -> Turn:
        """Tries to get the lease, at once; `OURS` too where there are none to be had."""
        if self._over:
            self._over = False
            return Turn.GONE
        made = self._leases.attempt(
            lambda client: client.set(self._name, self._token, nx=True, px=self._term_ms) or "taken"
        )
        if made == "taken":
            return Turn.TAKEN
        if made is not None:
            self._held = True
            self._beat()
        return Turn.OURS

    def pause(self, seconds: float) -> bool:
        """Waits so long, or until the lease is given back, which the next `ask` tells."""
        if self._heard is None:
            # Before the next attempt, so that no word is missed.
            self._heard = self._leases.attempt(self._listen) or False
        elif self._heard is False:
            time.sleep(seconds)
        else:
            self._over = bool(self._leases.attempt(lambda _: self._word(seconds)))
        return False

    def release(self) -> None:
        """Gives the lease back, if it is ours, and tells those that wait."""
        self._released.set()
        if self._heard:
            self._leases.attempt(lambda _: self._heard.close())
        if self._beating is not None:
            self._beating.join()
        if self._held:
            self._leases.attempt(
                lambda client: client.eval(_GIVE_BACK, 2, self._name, self._channel, self._token)
            )
            self._held = False

    def _listen(self, client: Any) -> Any:
        heard = client.pubsub(ignore_subscribe_messages=True)
        heard.subscribe(self._channel)
        return heard

    def _word(self, seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            message = self._heard.get_message(timeout=left)
            if message is not None and message["data"] == "over":
                return True
        return False

    def _beat(self) -> None:
        self._beating = threading.Thread(target=self._renew, name="phasic-lease", daemon=True)
        try:
            self._beating.start()
        except RuntimeError as error:  # then its term ends early, which costs time only
            debug(f"lease not renewed: {error}")
            self._beating = None

    def _renew(self) -> None:
        while not self._released.wait(self._leases.term / BEATS_A_TERM):
            try:
                renewed = self._leases.ask(
                    lambda client: client.eval(_RENEW, 1, self._name, self._token, self._term_ms)
                )
            except CacheError as error:
                debug(f"lease not renewed: {error.message}")  # the next time it may be
                continue
            if not renewed:
                return


HINT = (
    "check PHASIC_CACHE_REDIS_URL, the server, and the password (REDISCLI_AUTH or "
    "PHASIC_CACHE_REDIS_PASSWORD_FILE)"
)


def password(file: str) -> str | None:
    """From the file, else the environment; None where there is none.

    Raises:
        ConfigError: the file cannot be read, or others than its owner can read it.
    """
    if not file:
        return os.environ.get(PASSWORD_VARIABLE) or None
    try:
        with open(file, encoding="utf-8") as stream:
            about = os.fstat(stream.fileno())
            if about.st_uid not in (os.geteuid(), 0) or about.st_mode & (
                stat.S_IRWXG | stat.S_IRWXO
            ):
                raise ConfigError(
                    f"cache_redis_password_file {file} is not its owner's alone",
                    code="CONFIG_SECRET",
                    hint=f"chmod 600 {file}",
                )
            return stream.read().strip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cache_redis_password_file {file} cannot be read: {type(error).__name__}",
            code="CONFIG_SECRET",
            hint="name a file that holds the password and nothing else",
        ) from None


def _told(error: Exception) -> str:
    from redis import exceptions

    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthorizationError):
        return "refuses the password, or asks for one"
    if isinstance(error, exceptions.NoPermissionError):
        return (
            "does not let this user do what leases need (get, set, del, eval, publish, subscribe)"
        )
    if isinstance(error, exceptions.TimeoutError):
        return "does not answer in time"
    if isinstance(error, exceptions.ReadOnlyError):
        return "is a replica, which takes no leases"
    if isinstance(error, exceptions.BusyLoadingError):
        return "is still loading its data"
    if isinstance(error, exceptions.ConnectionError | OSError):
        return "cannot be connected to"
    return f"refuses a request ({type(error).__name__})"
