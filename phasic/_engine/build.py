"""How the compiled module was built, and what it uses of this processor."""

from __future__ import annotations

from . import ffi, lib


def compiler() -> str:
    """Name and version, as in "GNU 12.2.0"."""
    return _text(lib.phasic_built_compiler())


def flags() -> list[str]:
    """The compiler's flags for all files of the engine."""
    return _text(lib.phasic_built_flags()).split()


def sanitizers() -> str:
    """Those that it was built with, "" for none."""
    return _text(lib.phasic_built_sanitizers())


def instruction_set() -> str:
    """The widest that evaluations use on this processor: "baseline", "avx2" or "avx512"."""
    return _text(lib.phasic_instruction_set())


def _text(pointer: object) -> str:
    text: str = ffi.string(pointer).decode()
    return text
