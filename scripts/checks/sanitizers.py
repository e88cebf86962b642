"""Address, undefined-behaviour and thread sanitizers: the engine's tests, and the Python tests on a
binding that is built with them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from checks import engine, suite
from checks.commands import CheckFailed, must_fire
from checks.sandbox import Sandbox

ADDRESS = {"PTD_SANITIZE": "address,undefined", "CMAKE_BUILD_TYPE": "Debug"}
THREAD = {"PTD_SANITIZE": "thread", "CMAKE_BUILD_TYPE": "Debug"}
_OPTIONS = "strict_string_checks=1:detect_stack_use_after_return=1"
OVERFLOW = "AddressSanitizer: heap-buffer-overflow"
LEAK = "LeakSanitizer: detected memory leaks"
UNDEFINED = "runtime error: signed integer overflow"
RACE = "ThreadSanitizer: data race"


def address_build(sandbox: Sandbox) -> Path:
    """The engine under the address sanitizer, shown to see what it is there for."""
    folder = engine.build(sandbox, "asan", **ADDRESS)
    for bug, sign in {"out_of_bounds": OVERFLOW, "leak": LEAK, "overflow": UNDEFINED}.items():
        must_fire("sanitizers (C)", [folder / "planted", bug], [sign], extra=c_variables())
    return folder


def c_variables() -> dict[str, str]:
    return {
        "ASAN_OPTIONS": f"{_OPTIONS}:detect_leaks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": "halt_on_error=1",
    }


def python_variables() -> dict[str, str]:
    """The interpreter is no sanitized program: the runtime has to be there before it, and what it
    keeps until it ends is no leak of ours."""
    return {
        "LD_PRELOAD": _runtime("libasan.so"),
        "ASAN_OPTIONS": f"{_OPTIONS}:detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def address_c(sandbox: Sandbox) -> None:
    engine.test(sandbox, address_build(sandbox), "--parallel", "2", **c_variables())


def address_python(sandbox: Sandbox) -> None:
    folder = engine.build(sandbox, "asan", **ADDRESS)
    build = sandbox.build_beside("asan", **ADDRESS)
    extra = python_variables()
    for bug, sign in {"out_of_bounds": OVERFLOW, "overflow": UNDEFINED}.items():
        program = f"import ctypes; ctypes.CDLL('{folder}/libplanted_module.so').planted_{bug}()"
        must_fire("sanitizers (Python)", [sandbox.python, "-c", program], [sign], extra=extra)
    _must_be_sanitized(sandbox, build, ADDRESS["PTD_SANITIZE"])
    # Limits on time and memory are those of the ordinary build.
    suite.run(sandbox, "--numprocesses=2", "-m", "not measured", build=build, **extra)


def thread(sandbox: Sandbox) -> None:
    folder = engine.build(sandbox, "tsan", **THREAD)
    must_fire("thread sanitizer", [folder / "planted", "race"], [RACE], extra=c_variables())
    engine.test(sandbox, folder, "--tests-regex", "test_threads|test_graph", **c_variables())


def _must_be_sanitized(sandbox: Sandbox, build: Path, expected: str) -> None:
    program = (
        "from phasic._engine import ffi, lib;"
        "print(ffi.string(lib.phasic_built_sanitizers()).decode())"
    )
    extra = python_variables() | suite.variables(build)
    status, output = sandbox.outcome([sandbox.python, "-c", program], extra=extra)
    if status != 0 or output.strip() != expected:
        raise CheckFailed(f"the Python tests would not run on the sanitized build: {output}")


def _runtime(library: str) -> str:
    compiler = os.environ.get("CC", "cc")
    found = subprocess.run(
        [compiler, f"-print-file-name={library}"], check=True, capture_output=True, text=True
    )
    path = Path(found.stdout.strip())
    if not path.is_absolute():
        raise CheckFailed(f"{compiler} has no {library}")
    return str(path.resolve())
