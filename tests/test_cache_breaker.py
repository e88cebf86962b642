"""Calls with an end, and places that are not asked while they are away."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from phasic import PhasicWarning
from phasic.cache.bounded import Overdue, Time, bounded
from phasic.cache.breaker import TIER_DOWN, Breaker
from phasic.cache.counts import Counts
from phasic.errors import CacheError, FormatError, InternalError

REST = 0.2


@pytest.fixture
def breaker(tmp_path: Path) -> Breaker:
    return Breaker("the place", "look for it", Counts(str(tmp_path), "place"), REST)


def unavailable(tmp_path: Path) -> int:
    return Counts(str(tmp_path), "place").read()["unavailable"]


def away() -> None:
    raise CacheError("it is away", code=TIER_DOWN)


def opened(breaker: Breaker) -> None:
    with pytest.warns(PhasicWarning, match="the place cannot be used: it is away; going on"):
        refused(breaker)


def refused(breaker: Breaker) -> None:
    with pytest.raises(CacheError, match="it is away") as caught:
        breaker(away)
    assert (caught.value.code, caught.value.hint) == (TIER_DOWN, "look for it")


def test_what_is_away_is_not_asked_for_a_while(breaker: Breaker, tmp_path: Path) -> None:
    opened(breaker)
    asked: list[int] = []
    for _ in range(3):
        with pytest.raises(CacheError, match="it is away"):
            breaker(lambda: asked.append(1))
    assert (asked, unavailable(tmp_path)) == ([], 1)
    time.sleep(1.2 * REST)
    assert breaker(lambda: 7) == 7
    assert breaker(lambda: 8) == 8


def test_a_probe_that_fails_opens_it_again(breaker: Breaker, tmp_path: Path) -> None:
    for times in (1, 2, 3):
        opened(breaker)
        refused(breaker)
        assert unavailable(tmp_path) == times
        time.sleep(1.2 * REST)


def test_there_is_one_probe(breaker: Breaker) -> None:
    opened(breaker)
    time.sleep(1.2 * REST)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(20)

    probe = threading.Thread(target=lambda: breaker(slow))
    probe.start()
    begun.wait(20)
    with pytest.raises(CacheError, match="it is away"):
        breaker(lambda: 7)
    go_on.set()
    probe.join()
    assert breaker(lambda: 7) == 7


def test_other_failures_are_answers(breaker: Breaker, tmp_path: Path) -> None:
    def bad() -> None:
        raise FormatError("bad bytes")

    def full() -> None:
        raise CacheError("no space", code="IO_ERROR")

    for failure in (bad, full):
        with pytest.raises(type(failure_of(failure))):
            breaker(failure)
    assert breaker(lambda: 7) == 7
    assert unavailable(tmp_path) == 0
    opened(breaker)
    time.sleep(1.2 * REST)
    with pytest.raises(CacheError, match="no space"):
        breaker(full)
    assert breaker(lambda: 7) == 7  # the probe was answered


def failure_of(action) -> Exception:
    try:
        action()
    except (FormatError, CacheError) as error:
        return error
    raise AssertionError("it does not fail")


def test_many_threads_that_fail_together_say_it_once(breaker: Breaker, tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def fail() -> None:
        together.wait()
        away()

    def ask() -> None:
        with pytest.raises(CacheError):
            breaker(fail)

    threads = [threading.Thread(target=ask) for _ in range(8)]

    def ask_together() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with pytest.warns(PhasicWarning) as said:
        ask_together()
    assert (len(said), unavailable(tmp_path)) == (1, 1)


# ---- time


def test_a_call_is_left_behind_and_told() -> None:
    seen: list[float] = []
    ended = threading.Event()

    def slow(time_left: Time) -> None:
        while time_left.left > 0:
            time.sleep(0.01)
        seen.append(time_left.left)
        time_left.extend(100)  # too late
        time.sleep(0.3)
        seen.append(time_left.left)
        ended.set()

    with pytest.raises(Overdue):
        bounded(slow, 0.1)
    assert ended.wait(20)
    assert seen[0] <= 0
    assert seen[1] <= 0


def test_a_call_may_be_given_more_time() -> None:
    def slow(time_left: Time) -> str:
        time_left.extend(20)
        time.sleep(0.3)
        return "done"

    assert bounded(slow, 0.1) == "done"


def test_what_it_raises_is_raised() -> None:
    def bad(_: Time) -> None:
        raise FormatError("bad bytes")

    with pytest.raises(FormatError, match="bad bytes"):
        bounded(bad, 10)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_is_no_result() -> None:
    with pytest.raises(InternalError, match="without a result"):
        bounded(lambda _: [][0], 10)
