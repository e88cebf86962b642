"""Objects by name in S3-compatible storage, or in a directory that stands for it, by `obstore`.

Every call has an end: requests that fail are repeated with growing, randomised pauses, and within
the deadline all is over; a transfer is given a second more for each mebibyte. What the storage says
is told by its code alone, since the text of an answer may repeat parts of a signature. Credentials
are found by `obstore` (`AWS_*` in the environment, web identity, container, instance); nothing here
ever holds them.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from typing import Any, TypeVar

from ..errors import CacheError, DependencyError
from .bounded import NoThread, Overdue, Time, bounded
from .breaker import TIER_DOWN
from .compression import Source, require
from .directory import failed

R = TypeVar("R")
_MIB = 1 << 20
_PIECE = 1 << 16
_HTTP_STATUS = re.compile(r"status code: (\d{3})")
_S3_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_OURS = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE")
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")

_MEANINGS = {
    "NoSuchBucket": "the bucket does not exist",
    "RequestTimeTooSkewed": "this machine's clock differs too much from the storage's: set it",
    "InvalidAccessKeyId": "it does not know the credentials",
    "SignatureDoesNotMatch": "it refuses the credentials: the secret is wrong",
    "ExpiredToken": "the credentials have expired",
    "AccessDenied": "the credentials may not do this; to tell what is missing from what is "
    "forbidden they need s3:ListBucket beside s3:GetObject and s3:PutObject",
    "401": "it asks for credentials",
    "403": "it refuses the credentials",
    "404": "there is no such bucket, or no such storage",
    "412": "it refuses a conditional request",
    "501": "it cannot create objects conditionally (If-None-Match), which is needed",
    "EntityTooLarge": "it takes no object of that size in one piece",
    "SlowDown": "it asks for fewer requests",
}


@dataclass(frozen=True)
class Location:
    """Where objects are.

    Attributes:
        url: `s3://bucket/prefix` or `file:///directory`, without credentials.
        endpoint: of the storage; "": that of `AWS_ENDPOINT_URL`, else Amazon's.
        region: "": that of `AWS_REGION`, else us-east-1.
    """

    url: str
    endpoint: str = ""
    region: str = ""


@dataclass(frozen=True)
class Stored:
    """An object: its name, its bytes, and when it was written in seconds since the epoch."""

    name: str
    n_bytes: int
    modified: float


class Objects:
    """The objects of one location. Making it asks nothing of the storage.

    Args:
        location: where.
        seconds: the longest wait for an answer, with all repetitions.

    Raises:
        DependencyError: `obstore` is not installed.
    """

    def __init__(self, location: Location, seconds: float) -> None:
        require()
        if find_spec("obstore") is None:
            raise DependencyError(
                f"the remote cache {location.url} needs the package obstore, which is not "
                "installed",
                code="OBSTORE_MISSING",
                hint="pip install 'phasic[remote]', or unset cache_remote_url",
            )
        self.location = location
        self._seconds = seconds

    def get(self, name: str, take: Callable[[Source], R]) -> R | None:
        """What `take` makes of the bytes of an object; None where there is none.

        Raises:
            CacheError: the storage cannot be asked (`TIER_DOWN`), or what `take` raises.
        """

        def read(time: Time) -> R | None:
            try:
                answer = self._obstore.get(self._store(0), name)
                time.extend(answer.meta["size"] / _MIB)
                body = answer.stream(min_chunk_size=_PIECE)
            except FileNotFoundError as error:
                if self._is_s3 and "<Code>NoSuchKey</Code>" not in str(error):
                    raise self._refused("reading", error) from None  # no bucket, or no storage
                return None
            except self._errors as error:
                raise self._refused("reading", error) from None
            return take(_Body(self, body, time))

        return self._bounded(read)

    def put(self, name: str, path: str, replace: bool = False) -> bool:
        """Makes an object of a file; False, and nothing done, where there is one already.

        With `replace` one that is there is replaced.

        Raises:
            CacheError: the file cannot be read, or the storage not be asked (`TIER_DOWN`).
        """
        try:
            n_bytes = os.stat(path).st_size
            with open(path, "rb") as file:
                content = mmap.mmap(file.fileno(), n_bytes, access=mmap.ACCESS_READ)
        except OSError as error:
            raise failed(path, error) from error
        return self._bounded(lambda _: self._put(name, content, replace), more=n_bytes / _MIB)

    def listing(self, after: str = "") -> Iterator[Stored]:
        """The objects whose names come after `after`, by name.

        Raises:
            CacheError: the storage cannot be asked (`TIER_DOWN`).
        """
        pages = self._bounded(lambda _: self._pages(after))
        while page := self._bounded(lambda _: self._next(pages)):
            for about in page:
                yield Stored(about["path"], about["size"], about["last_modified"].timestamp())

    def delete(self, name: str) -> None:
        """Removes an object; one that is not there is removed already.

        Raises:
            CacheError: the storage cannot be asked (`TIER_DOWN`).
        """

        def remove(_: Time) -> None:
            try:
                self._obstore.delete(self._store(0), name)
            except FileNotFoundError:
                return
            except self._errors as error:
                raise self._refused("removing", error) from None

        self._bounded(remove)

    def _put(self, name: str, content: mmap.mmap, replace: bool) -> bool:
        mode = "overwrite" if replace else "create"
        try:
            store = self._store(len(content))
            # In one piece: a multipart upload cannot be conditional.
            self._obstore.put(store, name, content, mode=mode, use_multipart=False)
        except self._exceptions.AlreadyExistsError:
            return False
        except self._errors as error:
            raise self._refused("writing", error) from None
        return True

    def _pages(self, after: str) -> Any:
        try:
            return self._obstore.list(self._store(0), offset=after or None)
        except self._errors as error:
            raise self._refused("listing", error) from None

    def _next(self, pages: Any) -> list[dict[str, Any]] | None:
        try:
            return next(pages, None)
        except self._errors as error:
            raise self._refused("listing", error) from None

    # ---- the package

    @cached_property
    def _obstore(self) -> Any:
        import obstore

        return obstore

    @cached_property
    def _exceptions(self) -> Any:
        from obstore import exceptions

        return exceptions

    @cached_property
    def _errors(self) -> tuple[type[Exception], ...]:
        return (self._exceptions.BaseError, FileNotFoundError, ValueError)

    def _store(self, n_bytes: int) -> Any:
        _not_in_a_fork(self.location.url)
        if not self._is_s3 and not os.path.isdir(self.location.url.removeprefix("file://")):
            raise self._down("is not there")
        longest = 1 << n_bytes.bit_length() if n_bytes > _MIB else 0  # few stores for all sizes
        return _store(self.location, self._seconds, longest)

    @property
    def _is_s3(self) -> bool:
        return self.location.url.startswith("s3://")

    # ---- what can go wrong

    def _bounded(self, action: Callable[[Time], R], more: float = 0.0) -> R:
        try:
            return bounded(action, self._seconds + more)
        except NoThread as error:
            raise self._down(f"cannot be asked: {error}") from error
        except Overdue:
            raise self._down(
                f"does not answer within {self._seconds:g} s (PHASIC_CACHE_DEADLINE_SECONDS), or "
                f"transfers less than a mebibyte a second{self._without_credentials()}"
            ) from None

    def _refused(self, doing: str, error: Exception) -> CacheError:
        text = str(error)
        status, code = _HTTP_STATUS.search(text), _S3_CODE.search(text)
        found = [match[1] for match in (code, status) if match]
        if "169.254.169.254" in text:
            return self._down("cannot be asked: there are no credentials for it")
        if found:
            told = next((_MEANINGS[name] for name in found if name in _MEANINGS), "it failed")
            said = ", ".join(dict.fromkeys(reversed(found)))
            return self._down(f"refuses {doing}: {told} [{said}]")
        if "kind: Timeout" in text or "TimedOut" in text:
            return self._down(f"does not answer in time{self._without_credentials()}")
        if "kind: Connect" in text:
            return self._down("cannot be connected to")
        return self._down(f"fails at {doing}: {type(error).__name__}")

    def _without_credentials(self) -> str:
        if not self._is_s3 or any(map(os.environ.get, _OURS + _CONTAINER)):
            return ""
        return "; the environment has no AWS_ACCESS_KEY_ID, so instance credentials were sought"

    def _down(self, what: str) -> CacheError:
        where = f" at {self.location.endpoint}" if self.location.endpoint else ""
        return CacheError(f"{self.location.url}{where} {what}", code=TIER_DOWN, hint=HINT)


HINT = "check PHASIC_CACHE_REMOTE_URL, the endpoint, the network and the credentials (AWS_*)"


class _Body:
    """The bytes of an answer, until its time is over."""

    def __init__(self, objects: Objects, pieces: Any, time: Time) -> None:
        self._objects = objects
        self._pieces = pieces
        self._time = time
        self._piece = memoryview(b"")

    def read(self, size: int) -> bytes:
        if not self._piece:
            if self._time.left <= 0:
                raise self._objects._down("does not send all in time")
            try:
                self._piece = memoryview(next(self._pieces, b""))
            except self._objects._errors as error:
                raise self._objects._refused("reading", error) from None
        taken, self._piece = self._piece[:size], self._piece[size:]
        return bytes(taken)


@cache
def _store(location: Location, seconds: float, n_bytes: int) -> Any:
    """The package's own store; its requests end before we stop waiting for them."""
    from datetime import timedelta

    from obstore.store import LocalStore, S3Store

    if location.url.startswith("file://"):
        return LocalStore(location.url.removeprefix("file://"))
    bucket, _, prefix = location.url.removeprefix("s3://").partition("/")
    endpoint = location.endpoint or next(filter(None, map(os.environ.get, _ENDPOINTS)), "")
    named = {"endpoint": location.endpoint, "region": location.region, "prefix": prefix.strip("/")}
    upload = n_bytes / _MIB
    return S3Store(
        bucket,
        **{name: value for name, value in named.items() if value},
        disable_bulk_delete=True,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=seconds / 4),
            "read_timeout": timedelta(seconds=seconds / 3 + upload),  # runs from the request on
            "timeout": timedelta(days=1),  # a transfer's end is kept by those who wait for it
            "user_agent": "phasic",
        },
        retry_config={
            "max_retries": 100,
            "retry_timeout": timedelta(seconds=seconds / 2),
            "backoff": {
                "init_backoff": timedelta(seconds=min(0.1, seconds / 20)),
                "max_backoff": timedelta(seconds=max(0.1, seconds / 8)),
                "base": 2,
            },
        },
    )


_first_process: list[int] = []


def _not_in_a_fork(url: str) -> None:
    """The package's threads do not survive a fork, and calls in the child would never return."""
    if not _first_process:
        _first_process.append(os.getpid())
    if _first_process[0] != os.getpid():
        raise CacheError(
            f"{url} cannot be asked by a process forked from one that has asked it (spawn "
            "processes instead, as the start methods spawn and forkserver of multiprocessing do)",
            code=TIER_DOWN,
            hint=HINT,
        )
