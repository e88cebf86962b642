"""What a check has found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands: well; it works and something may be done; something does not work."""

    OK = "ok"
    ADVICE = "advice"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line of the answer. `advice` says what to do; it is empty where all is well."""

    check: str
    state: State
    found: str
    advice: str = ""


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, State.OK, found)


def advice(check: str, found: str, what: str) -> Finding:
    """It works, and `what` may be done."""
    return Finding(check, State.ADVICE, found, what)


def problem(check: str, found: str, what: str) -> Finding:
    """Something does not work; `what` mends it."""
    return Finding(check, State.PROBLEM, found, what)
