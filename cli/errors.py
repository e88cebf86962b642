"""Errors that only a command line can have, and what each exception means as an exit code."""

from __future__ import annotations

from phasic.cli.exit_codes import ExitCode
from phasic.errors import (
    CacheError,
    ConfigError,
    DependencyError,
    EngineMemoryError,
    InternalError,
    PhasicError,
)


class UsageError(ConfigError):
    """The command line asks for what cannot be."""


def exit_code_of(error: PhasicError) -> ExitCode:
    """Exit code for an error of the library."""
    if isinstance(error, ConfigError):
        return ExitCode.USAGE
    if isinstance(error, (CacheError, DependencyError, EngineMemoryError)):
        return ExitCode.ENVIRONMENT
    if isinstance(error, InternalError):
        return ExitCode.BUG
    return ExitCode.NO
