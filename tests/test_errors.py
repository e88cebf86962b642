"""Errors are what they say, as phasic errors and as builtins; warnings are counted."""

from __future__ import annotations

import pickle
import warnings

import pytest

from phasic import errors


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.GraphError, ValueError),
        (errors.TraceError, RuntimeError),
        (errors.NumericError, RuntimeError),
        (errors.NumericError, ValueError),
        (errors.FormatError, ValueError),
        (errors.CacheError, OSError),
        (errors.ConfigError, ValueError),
        (errors.DependencyError, ImportError),
        (errors.EngineMemoryError, MemoryError),
        (errors.InternalError, RuntimeError),
    ],
)
def test_each_class_is_also_a_builtin(kind, builtin) -> None:
    error = kind("what was found", code="CODE", hint="what to do")
    assert isinstance(error, builtin)
    assert isinstance(error, errors.PhasicError)
    assert (error.message, error.code, error.hint) == ("what was found", "CODE", "what to do")
    assert str(error) == "what was found\n  hint: what to do"


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(errors.CacheError("full", code="IO_ERROR", hint="free")))  # noqa: S301
    assert (error.message, error.code, error.hint) == ("full", "IO_ERROR", "free")
    assert str(error) == "full\n  hint: free"


def test_warnings_are_counted_and_said_once_where_asked() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        errors.warn("A", "each time")
        errors.warn("A", "each time")
        errors.warn("B", "only the first", once=True)
        errors.warn("B", "only the first", once=True)
    assert [str(warning.message) for warning in caught] == [
        "each time [A]",
        "each time [A]",
        "only the first [B]",
    ]
    assert errors.warning_counts() == {"A": 2, "B": 2}
