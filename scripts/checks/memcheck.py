"""Valgrind: the C tests, and one Python session."""

from __future__ import annotations

import re
import shutil

from checks import engine, suite
from checks.commands import BUILD, ROOT, CheckFailed, must_fire
from checks.sandbox import Sandbox

MEMCHECK = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite,possible",
    "--track-origins=no",
]
# The interpreter keeps memory until it ends, so leaks are judged by who made them (see below).
SESSION = [
    "valgrind",
    "--error-exitcode=99",
    "--leak-check=full",
    "--errors-for-leak-kinds=none",
    "--show-leak-kinds=definite,possible",
    "--num-callers=40",
]
SIGNS = {
    "out_of_bounds": "Invalid read",
    "uninitialised": "uninitialised value",
    "leak": "definitely lost",
}
# The engine allocates in these functions only (memory.c).
OUR_LEAK = re.compile(r" at 0x\w+: \w*alloc .*\n +by 0x\w+: (ptd_|planted_)")
# Optimised interpreters upset valgrind by themselves, before any module is loaded: an error is ours
# where the engine or its binding is on the stack.
OUR_ERROR = re.compile(r"(at|by) 0x\w+: (ptd_|planted_|_cffi_)")


def c_tests(sandbox: Sandbox) -> None:
    _needs_valgrind()
    folder = engine.build(
        sandbox,
        "valgrind",
        CMAKE_BUILD_TYPE="Debug",
        CMAKE_CROSSCOMPILING_EMULATOR=";".join(MEMCHECK),
    )
    for bug, sign in SIGNS.items():
        must_fire("valgrind (C)", [*MEMCHECK, folder / "planted", bug], [sign])
    engine.test(sandbox, folder, "--parallel", "2")


def session(sandbox: Sandbox) -> None:
    _needs_valgrind()
    folder = engine.build(sandbox, "valgrind", CMAKE_BUILD_TYPE="Debug")
    build = sandbox.build_beside("valgrind", CMAKE_BUILD_TYPE="Debug")
    extra = {"PYTHONMALLOC": "malloc"} | suite.variables(build)
    module = f"import ctypes; bugs = ctypes.CDLL('{folder}/libplanted_module.so'); "
    for bug, sign in SIGNS.items():
        complaint = _complaints(sandbox, ["-c", f"{module} bugs.planted_{bug}()"], extra)
        if sign not in complaint:
            raise CheckFailed(f"valgrind (Python) did not catch a planted bug: {bug}")
        print(f"valgrind (Python): fires on {bug}", flush=True)
    with_session = [str(ROOT / "tests" / "instruments" / "session.py"), str(BUILD / "session")]
    complaint = _complaints(sandbox, with_session, extra)
    if complaint:
        print(complaint)
        raise CheckFailed("valgrind has complaints about the Python session")


def _complaints(sandbox: Sandbox, arguments: list[str], extra: dict[str, str]) -> str:
    """What valgrind says of the engine in a Python run: errors, and leaks of its own memory."""
    log = BUILD / "valgrind" / "session.log"
    command = [*SESSION, f"--log-file={log}", str(sandbox.python), *arguments]
    status, output = sandbox.outcome(command, extra=extra)
    if status not in (0, 99):
        raise CheckFailed(f"the session ended with {status}: {output}")
    text = re.sub(r"^==\d+== ?", "", log.read_text(errors="replace"), flags=re.MULTILINE)
    records = [block for block in text.split("\n\n") if " at 0x" in block]
    return "\n\n".join(record for record in records if _is_ours(record))


def _is_ours(record: str) -> bool:
    pattern = OUR_LEAK if "lost in loss record" in record else OUR_ERROR
    return pattern.search(record) is not None


def _needs_valgrind() -> None:
    if shutil.which("valgrind") is None:
        raise CheckFailed("valgrind is not installed")
