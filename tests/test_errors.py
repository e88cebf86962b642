"""Errors are what they say, as phasic errors and as builtins; warnings are counted."""

from __future__ import annotations

import ast
import pickle
import warnings
from pathlib import Path

import pytest

from phasic import errors
from phasic._engine.status import ROWS


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


RAISED = {name for name, kind in vars(errors).items() if name.endswith("Error") and kind}


def without_hint(source: str) -> list[int]:
    """Lines that make an error with a code and no hint, or a hint that may be None."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            hint = given.get("hint")
            nothing = hint is None or (isinstance(hint, ast.Constant) and hint.value is None)
            if node.func.id in RAISED - {"InternalError"} and "code" in given and nothing:
                lines.append(node.lineno)
    return lines


def test_every_error_says_what_to_do() -> None:
    modules = list(Path(errors.__file__).parent.rglob("*.py"))
    assert len(modules) > 30
    assert without_hint('raise GraphError("no", code="MODEL")') == [1]
    assert without_hint('raise GraphError("no", code="MODEL", hint=None)') == [1]
    found = {str(path): without_hint(path.read_text()) for path in modules}
    assert not {path: lines for path, lines in found.items() if lines}
    assert not [code for code, row in ROWS.items() if not row.hint]
