"""The compiled engine: how it was built, what it uses of the processor, that it is right."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator

from phasic.cli.checks.finding import Finding, advice, ok, problem
from phasic.errors import PhasicError

_REINSTALL = "install phasic again: pip install --force-reinstall --no-cache-dir phasic"
# They let the compiler rearrange sums, or take for granted that there is no infinity.
_UNSAFE = {
    "-Ofast",
    "-ffast-math",
    "-funsafe-math-optimizations",
    "-fassociative-math",
    "-freciprocal-math",
    "-ffinite-math-only",
    "-ffp-contract=fast",
}
_SLOW = {"-O0", "-O1", "-Og"}
_TOLERANCE = 1e-14


def check_engine() -> Iterator[Finding]:
    """Whether it loads; compiler and flags; instruction set; a mean that is known exactly."""
    try:
        from phasic._engine import build
    except (ImportError, PhasicError) as error:
        yield problem("engine", str(error), _REINSTALL)
        return
    yield check_build(build.compiler(), build.flags(), build.sanitizers())
    yield check_instruction_set(build.instruction_set(), platform.machine())
    yield _check_answer()
    yield _check_threads()


def check_build(compiler: str, flags: list[str], sanitizers: str) -> Finding:
    """Flags that change results, or that make it slow."""
    found = f"{compiler}, {' '.join(flags)}"
    unsafe = [flag for flag in flags if flag in _UNSAFE and not _withdrawn(flag, flags)]
    if unsafe:
        return problem(
            "compiler flags",
            found,
            f"{unsafe[0]} changes results: unset CFLAGS and {_REINSTALL}",
        )
    last = [flag for flag in flags if flag.startswith("-O")][-1:]
    if sanitizers or not last or last[0] in _SLOW:
        return advice(
            "compiler flags",
            found + (f", sanitizers: {sanitizers}" if sanitizers else ""),
            f"it is a slow build for tests: unset CFLAGS and {_REINSTALL}",
        )
    return ok("compiler flags", found)


def _withdrawn(flag: str, flags: list[str]) -> bool:
    """Whether a later flag takes it back."""
    later = flags[len(flags) - flags[::-1].index(flag) :]
    if flag == "-ffp-contract=fast":
        return "-ffp-contract=off" in later
    if flag == "-Ofast":
        return "-fno-fast-math" in later
    return flag.replace("-f", "-fno-", 1) in later


def check_instruction_set(name: str, machine: str) -> Finding:
    """Which of the engine's kernels run here."""
    if name == "baseline" and machine in ("x86_64", "AMD64"):
        return advice(
            "instruction set",
            f"{name}, on {machine}",
            "this processor has no AVX2 and FMA, or a virtual machine hides them: results are the"
            " same and come slower",
        )
    return ok("instruction set", f"{name}, on {machine}")


def _check_answer() -> Finding:
    """A coalescent of five lineages lasts 2 (1 - 1/5) on average."""
    try:
        from phasic.distribution import Distribution
        from phasic.models import coalescent
        from phasic.trace_elimination import record_elimination_trace

        trace = record_elimination_trace(coalescent.kingman(5))  # not from the cache, nor into it
        mean = Distribution(trace, [1.0]).mean()
    except (ImportError, PhasicError, OSError) as error:
        return problem("answer", str(error), _REINSTALL)
    off = abs(mean / 1.6 - 1)
    found = f"the mean of a coalescent of 5 is {mean!r}"
    if off <= _TOLERANCE:
        return ok("answer", found)
    return problem("answer", f"{found}, which is off by {off:.1e}", _REINSTALL)


def _check_threads() -> Finding:
    from phasic import config

    try:
        asked = config.get_int("threads")
    except PhasicError as error:
        return problem("threads", error.message, error.hint or "")
    processors = len(os.sched_getaffinity(0))
    found = f"{asked or processors} for evaluations, {processors} processors"
    if asked > processors:
        return advice(
            "threads", found, "more threads than processors only wait: PHASIC_THREADS=0 is as many"
        )
    return ok("threads", found)
