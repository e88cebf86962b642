"""How a process asks the daemon, and how it goes on without: one warning, one count, then direct.

Each request has a connection of its own, so threads share nothing, and a forked child has none. A
daemon that is not there is nothing to speak of. One that was killed, hangs, belongs to another
user, speaks another version or serves other directories is: the process says so once, counts it,
asks no more for a while, and does the work itself as if there were none.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack

from .. import errors
from ..cache.breaker import REST_SECONDS
from ..cache.counts import Counts
from ..errors import CacheError, FormatError, PhasicError
from .place import Place, connected, wrong_version
from .protocol import OTHER_CACHE, PROTOCOL, Connection, Message, lost

PATIENCE_SECONDS = 10.0  # of silence; a daemon at work says so every second
STATUS_SECONDS = 5.0


def call(
    place: Place,
    op: str,
    places: Mapping[str, str] | None = None,
    seconds: float = PATIENCE_SECONDS,
    **fields: str,
) -> Connection | None:
    """A connection on which a request is made; None where there is no daemon.

    Args:
        place: of the daemon.
        op: the request.
        places: what the daemon has to serve, by name; None: whatever it serves.
        seconds: the longest silence.
        fields: of the request.

    Raises:
        CacheError: it does not answer, or will not serve us.
        FormatError: its answer is no message.
    """
    connection = connected(place, seconds)
    if connection is None:
        return None
    with ExitStack() as unless_welcome:
        unless_welcome.enter_context(connection)
        given = None if places is None else dict(places)
        connection.send("hello", seconds, protocol=PROTOCOL, places=given)
        welcome = connection.receive(seconds)
        if welcome["op"] == "refused":
            raise _refused(welcome)
        if welcome["op"] != "welcome" or welcome.get("protocol") != PROTOCOL:
            raise wrong_version(welcome.get("protocol"))
        connection.send(op, seconds, **fields)
        unless_welcome.pop_all()
    return connection


def answer(connection: Connection, seconds: float = PATIENCE_SECONDS) -> Message:
    """What the daemon says once it has done what it is at.

    Raises:
        CacheError: it is silent or gone.
        FormatError: it says what is no message.
    """
    while True:
        message = connection.receive(seconds)
        if message["op"] == "refused":
            raise _refused(message)
        if message["op"] != "wait":
            return message


def ask(place: Place, op: str, places: Mapping[str, str] | None = None) -> Message | None:
    """The answer to a request of the command line; None where there is no daemon.

    Raises:
        As `call` and `answer` do.
    """
    connection = call(place, op, places, STATUS_SECONDS)
    if connection is None:
        return None
    with connection:
        return answer(connection, STATUS_SECONDS)


def _refused(message: Message) -> CacheError:
    code = str(message.get("code"))
    hint = "`phasic daemon status` tells of it"
    if code == OTHER_CACHE:
        hint = "restart it with this configuration: phasic daemon stop && phasic daemon start"
    return CacheError(str(message.get("message")), code=code, hint=hint)


class Client:
    """The daemon as one process sees it.

    Args:
        place: of the daemon.
        places: what this process is configured for, by name; the daemon must serve the same.
        counts: where it is counted that it was gone without.
        required: whether to fail without it.
        seconds: the longest silence.
        rest: seconds after a failure before it is asked again.
    """

    def __init__(
        self,
        place: Place,
        places: Mapping[str, str],
        counts: Counts,
        required: bool,
        seconds: float = PATIENCE_SECONDS,
        rest: float = REST_SECONDS,
    ) -> None:
        self._place = place
        self._places = places
        self._counts = counts
        self._required = required
        self._seconds = seconds
        self._rest = rest
        self._resumes = -1.0

    def request(self, op: str, key: str) -> tuple[Connection, Message] | None:
        """The connection and the first answer; None: without the daemon.

        Raises:
            CacheError: it is required, and cannot be had (`DAEMON_REQUIRED`).
        """
        if time.monotonic() < self._resumes:
            return None
        connection = None
        try:
            connection = self._call(op, key)
            if connection is not None:
                return connection, self.answer(connection)
        except (CacheError, FormatError) as error:
            if connection is not None:
                connection.close()
            self.go_without(error)
        if self._required:
            raise _required(f"none is running in {self._place.folder}")
        return None

    def answer(self, connection: Connection) -> Message:
        """As the function `answer`, with this client's patience."""
        return answer(connection, self._seconds)

    def tell(self, connection: Connection, op: str) -> None:
        """Sends what has no fields.

        Raises:
            CacheError: the daemon is gone.
        """
        connection.send(op, self._seconds)

    def go_without(self, error: PhasicError) -> None:
        """Says, once, why the daemon is not asked, and counts it; for a while it is asked no more.

        Raises:
            CacheError: it is required (`DAEMON_REQUIRED`).
        """
        if self._required:
            raise _required(error.message, error.hint) from error
        if time.monotonic() < self._resumes:
            return  # another thread has said so
        self._resumes = time.monotonic() + self._rest
        self._counts.add("daemon_lost")
        errors.warn(
            error.code,
            f"the cache's daemon is not used, and this process does its work: {error.message}",
            once=True,
        )

    def _call(self, op: str, key: str) -> Connection | None:
        return call(self._place, op, self._places, self._seconds, key=key)


def unexpected(message: Message) -> CacheError:
    """The error of an answer that is none to what was asked."""
    return lost(f"it answers {message['op']!r}")


def _required(reason: str, hint: str | None = None) -> CacheError:
    hint = hint or "`phasic daemon start` starts one"
    return CacheError(
        f"PHASIC_DAEMON is `require`, and the daemon cannot be used: {reason}",
        code="DAEMON_REQUIRED",
        hint=f"{hint}; PHASIC_DAEMON=auto goes on without",
    )
