"""What executables of XLA need of the engine: handlers, and traces that are found by key."""

from __future__ import annotations

import weakref

from . import ffi, lib
from .status import check
from .trace import TraceHandle

HANDLERS = {"phasic_density": lib.PHASIC_XLA_DENSITY, "phasic_moments": lib.PHASIC_XLA_MOMENTS}
"""Names of XLA's custom calls, and which function of the engine each is."""


def address(what: int) -> int:
    """Address of a handler, or of the state's type or its description (`PHASIC_XLA_…`)."""
    return int(lib.phasic_xla_address(what))


def version() -> tuple[int, int]:
    """The version (major, minor) of XLA's interface that the handlers speak."""
    numbers = ffi.new("int32_t[2]")
    lib.phasic_xla_version(numbers, numbers + 1)
    return int(numbers[0]), int(numbers[1])


def counts() -> tuple[int, int]:
    """How often a handler was called in this process, and for how many lanes in all."""
    numbers = ffi.new("int64_t[2]")
    lib.phasic_xla_counts(numbers, numbers + 1)
    return int(numbers[0]), int(numbers[1])


class Registration:
    """A trace that executables of this process find, as long as this object lives.

    Executables that were loaded by then keep it for themselves. Equal where the trace is.

    Attributes:
        words: what they name it by: the first half of its key as two numbers.
    """

    def __init__(self, trace: TraceHandle) -> None:
        error = ffi.new("ptd_error *")
        check(lib.phasic_registry_add(trace.address, error), error)
        weakref.finalize(self, lib.phasic_registry_remove, trace.address)
        key = trace.hashes[1]
        words = (int.from_bytes(key[at : at + 8], "little", signed=True) for at in (0, 8))
        self.words = tuple(words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Registration) and self.words == other.words

    def __hash__(self) -> int:
        return hash(self.words)
