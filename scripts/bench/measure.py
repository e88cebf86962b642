"""Clocks and memory, the same for every contender."""

import resource
import time
from collections.abc import Callable
from typing import Any

BUDGET_SECONDS = 0.2
MAX_REPEATS = 200
LONGEST_SECONDS = 10.0
# Shorter actions are repeated inside one reading of the clock.
SHORTEST_SECONDS = 5e-4


def fastest(action: Callable[[], Any]) -> float:
    """CPU seconds of `action`: the minimum of a warming call and at least one more, and of others
    while the budget lasts."""
    began = time.process_time()
    action()
    best = spent = time.process_time() - began
    inner = int(SHORTEST_SECONDS / max(best, 1e-7)) + 1
    for repeat in range(MAX_REPEATS):
        if spent > LONGEST_SECONDS or (repeat > 0 and spent > BUDGET_SECONDS):
            break
        began = time.process_time()
        for _ in range(inner):
            action()
        took = time.process_time() - began
        best, spent = min(best, took / inner), spent + took
    if best <= 0:
        raise ArithmeticError("the clock of CPU time stood still")
    return best


def peak_bytes() -> int:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def limit_memory(n_bytes: int) -> None:
    """Makes an allocation beyond `n_bytes` of address space fail instead of eating the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (n_bytes, n_bytes))
