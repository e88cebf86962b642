"""Runs the checks asked for, all of them whatever one finds, and says at the end how each went."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from checks.commands import CheckFailed


@dataclass(frozen=True)
class Stage:
    name: str
    action: Callable[[], None]
    needed: bool = False  # nothing after it makes sense where it fails


@dataclass(frozen=True)
class Result:
    name: str
    seconds: float
    failure: str | None


def perform(stages: Sequence[Stage]) -> list[Result]:
    results: list[Result] = []
    for stage in stages:
        print(f"\n== {stage.name}", flush=True)
        begin = time.monotonic()
        failure = None
        try:
            stage.action()
        except CheckFailed as error:
            failure = str(error)
            print(f"{stage.name}: {failure}", flush=True)
        results.append(Result(stage.name, time.monotonic() - begin, failure))
        if failure and stage.needed:
            break
    return results


def summary(results: Sequence[Result]) -> str:
    width = max(len(result.name) for result in results)
    lines = [
        f"{result.name:<{width}}  {result.seconds:7.1f} s  "
        + ("passed" if result.failure is None else f"FAILED: {result.failure}")
        for result in results
    ]
    failed = sum(result.failure is not None for result in results)
    total = sum(result.seconds for result in results)
    verdict = f"{failed} of {len(results)} failed" if failed else f"all {len(results)} passed"
    return "\n".join([*lines, f"{verdict} in {total:.0f} s"])
