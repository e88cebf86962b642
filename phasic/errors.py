"""Every error and warning that phasic raises.

An error has a `code` (stable, for programs), a message in the user's own labels, and a `hint` that
says what to do. Each class is also the builtin that fits, so `except ValueError` keeps working.
"""

from __future__ import annotations

import warnings
from collections import Counter
from typing import ClassVar


class PhasicError(Exception):
    """Base of all errors.

    Attributes:
        message: what was found and what was expected.
        code: a stable name such as `GRAPH_NO_ABSORPTION`.
        hint: what to do about it, or None.
    """

    default_code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class GraphError(PhasicError, ValueError):
    """The model is wrong: its states, transitions, weights or connections."""

    default_code = "GRAPH_INVALID"


class TraceError(PhasicError, RuntimeError):
    """A trace cannot be recorded or used. The message starts with `FATAL:`."""

    default_code = "TRACE_FAILED"


class NumericError(PhasicError, RuntimeError, ValueError):
    """No evaluation at these numbers: theta, rewards. The message starts with `FATAL:`."""

    default_code = "EVALUATION_FAILED"


class FormatError(PhasicError, ValueError):
    """Bytes that should be a trace are not."""

    default_code = "FORMAT_INVALID"


class CacheError(PhasicError, OSError):
    """The cache directory or a file in it cannot be used."""

    default_code = "CACHE_FAILED"


class ConfigError(PhasicError, ValueError):
    """A configuration value, or an argument that is no part of a model, is wrong."""

    default_code = "CONFIG_INVALID"


class DependencyError(PhasicError, ImportError):
    """Something is needed and not installed."""

    default_code = "DEPENDENCY_MISSING"


class EngineMemoryError(PhasicError, MemoryError):
    """The engine asked for memory and got none."""

    default_code = "NO_MEMORY"


class InternalError(PhasicError, RuntimeError):
    """A defect of phasic itself."""


class PhasicWarning(UserWarning):
    """The result stands, and something should be known about it."""


_counts: Counter[str] = Counter()


def warn(code: str, message: str, *, once: bool = False) -> None:
    """Issues a `PhasicWarning` and counts it; with `once`, only the first of its code is issued."""
    _counts[code] += 1
    if once and _counts[code] > 1:
        return
    warnings.warn(PhasicWarning(f"{message} [{code}]"), stacklevel=3)


def warning_counts() -> dict[str, int]:
    """How often each warning code came up in this process, issued or not.

    Example:
        >>> from phasic.errors import warning_counts
        >>> warning_counts().get("CACHE_SAVE_FAILED", 0)
        0
    """
    return dict(_counts)
