"""The command line of `scripts/check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from checks import (
    allocation,
    cache,
    density,
    engine,
    fuzz,
    guide,
    lint,
    machines,
    memcheck,
    packages,
    sanitizers,
    suite,
)
from checks.commands import ROOT
from checks.sandbox import Sandbox
from checks.stages import Stage, perform, summary

LINT: dict[str, Callable[[Sandbox], None]] = {
    "ruff": lint.ruff,
    "ruff format": lint.ruff_format,
    "clang-format": lint.clang_format,
    "mypy": lint.mypy,
    "import layers": lint.layers,
}
TESTS: dict[str, Callable[[Sandbox], None]] = {
    "C tests": engine.tests,
    "Python tests": suite.tests,
    "guide": guide.pages,
}
# The instruments, each a flag; they take minutes.
INSTRUMENTS: dict[str, dict[str, Callable[[Sandbox], None]]] = {
    "asan": {
        "sanitizers, C tests": sanitizers.address_c,
        "sanitizers, Python tests": sanitizers.address_python,
    },
    "tsan": {"thread sanitizer": sanitizers.thread},
    "valgrind": {
        "valgrind, C tests": memcheck.c_tests,
        "valgrind, Python session": memcheck.session,
    },
    "alloc": {"failing allocations": allocation.failures},
    "cache": {"trials of the cache": cache.trials},
    "machines": {"trials of the cache with machines": machines.trials},
    "packages": {"packages": packages.build_and_use},
}
HELP = {
    "asan": "all tests under the address and undefined-behaviour sanitizers",
    "tsan": "the C tests with threads under the thread sanitizer",
    "valgrind": "the C tests and a Python session under valgrind",
    "alloc": "the n-th allocation fails, for every n",
    "cache": "many processes, deaths, full disks, damage and limits against the cache",
    "machines": "the cache under SLURM, on NFS, on mounts that fail, in power cuts",
    "packages": "an sdist, a wheel made of it, and that in a new environment",
}


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    sandbox = Sandbox(options.venv)
    stages = chosen(options, sandbox)
    results = perform(stages)
    print("\n" + summary(results))
    return 1 if any(result.failure for result in results) else 0


def bench(sandbox: Sandbox) -> None:
    sandbox.run(["python", "scripts/bench/run.py"])


def chosen(options: argparse.Namespace, sandbox: Sandbox) -> list[Stage]:
    """The stages that the flags ask for; the quick ones where they ask for none."""
    stages: list[Stage] = []
    if options.fresh or not sandbox.python.exists():
        stages.append(Stage("environment", sandbox.create, needed=True))
    elif options.tests or options.all:
        stages.append(Stage("install", sandbox.update, needed=True))

    def add(checks: dict[str, Callable[[Sandbox], None]]) -> None:
        stages.extend(Stage(name, partial(check, sandbox)) for name, check in checks.items())

    asked = [name for name in INSTRUMENTS if getattr(options, name) or options.all]
    fuzz_seconds = options.fuzz or (60 if options.all else 0)
    density_points = options.density or (10_000 if options.all else 0)
    others = (
        options.fix
        or options.tests
        or options.bench
        or asked
        or fuzz_seconds
        or density_points
        or options.large_entry
    )
    if options.fix:
        add({"formatters": lint.fix})
    if options.lint or options.all or not others:
        add(LINT)
    if options.tests or options.all:
        add(TESTS)
    for name in asked:
        add(INSTRUMENTS[name])
    if fuzz_seconds:
        add({"fuzzer": partial(fuzz.codec, seconds=fuzz_seconds)})
    if density_points:
        add({"densities": partial(density.trials, points=density_points)})
    if options.large_entry:
        add({"large entry": partial(cache.large_entry, mebibytes=options.large_entry)})
    if options.bench:
        add({"bench": bench})
    return stages


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/check", description="Checks of the project.")
    parser.add_argument(
        "--venv",
        type=Path,
        default=ROOT / ".venv-test",
        metavar="DIRECTORY",
        help="the virtual environment, made where it is missing (default: .venv-test)",
    )
    parser.add_argument("--fresh", action="store_true", help="make the virtual environment anew")
    parser.add_argument("--fix", action="store_true", help="let the formatters write")
    parser.add_argument(
        "--lint", action="store_true", help="style, types, layers (the default without a flag)"
    )
    parser.add_argument("--tests", action="store_true", help="C tests, Python tests, the guide")
    for name in INSTRUMENTS:
        parser.add_argument(f"--{name}", action="store_true", help=HELP[name])
    parser.add_argument(
        "--fuzz", type=int, default=0, metavar="SECONDS", help="damaged files against the codec"
    )
    parser.add_argument(
        "--density",
        type=int,
        default=0,
        metavar="POINTS",
        help="densities of random models against an oracle",
    )
    parser.add_argument(
        "--large-entry",
        type=int,
        default=0,
        metavar="MIB",
        help="publish and load a trace of that size (the design's is 4096), with little memory",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="everything above but --fresh, --fix and --large-entry (--fuzz 60 --density 10000)",
    )
    parser.add_argument("--bench", action="store_true", help="the contest with peers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
