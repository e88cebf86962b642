"""What a callback returns, read into arrays: `(next, weight)` or `(next, base, [c1, c2, …])`.

The common case, all transitions of one shape, is three array conversions. Everything else goes
through `_read_one`, transition by transition, which also words the errors.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError

_EXPECTED = (
    "a list of transitions, each (next_state, weight) or (next_state, base, [c1, c2, …]); "
    "[] where the state is absorbing"
)
_HINT = (
    "states are lists of integers, all of one length; weights and coefficients are numbers; "
    "a callback that ends without `return` returns None"
)
_NUMERIC = "iuf"


class Transitions(NamedTuple):
    """`states` (count, state_length) integers, `base` (count,), `coefficients` (count, width)."""

    states: NDArray[Any]
    base: NDArray[Any]
    coefficients: NDArray[Any]


_NO_COEFFICIENTS = np.zeros((0, 0))


def as_list(result: object, most: int, where: object) -> Sequence[object]:
    """The transitions as a list; a generator is read out, up to `most` transitions."""
    if isinstance(result, list | tuple):
        return result
    if isinstance(result, str | bytes) or not isinstance(result, Iterable):
        refuse(where, f"returned {_shown(result)}; expected {_EXPECTED}")
    transitions = list(islice(result, most + 1))
    if len(transitions) > most:
        refuse(where, f"returned more than {most} transitions")
    return transitions


def read(
    transitions: Sequence[object],
    state_length: int | None,
    parameterized: bool | None,
    where: object,
) -> Transitions:
    """Reads the transitions (at least one) out of one state.

    Args:
        transitions: what the callback returned.
        state_length: None where it is not known yet: the first state sets it.
        parameterized: False refuses coefficients; else they may also stand in place of a weight.
        where: its text names the source in messages, e.g. `state (3, 0)`.

    Raises:
        GraphError: with the transition and what is wrong about it.
    """
    fast = _read_uniform(transitions, state_length, parameterized)
    if fast is not None:
        return fast
    read_one = [
        _read_one(transition, number, state_length, parameterized, where)
        for number, transition in enumerate(transitions)
    ]
    lengths = sorted({len(state) for state, _, _ in read_one})
    if len(lengths) > 1:
        refuse(where, f"returned states of different lengths: {lengths}")
    widths = sorted({len(coefficients) for _, _, coefficients in read_one} - {0})
    if len(widths) > 1:
        refuse(where, f"returned coefficient lists of different lengths: {widths}")
    coefficients = np.zeros((len(read_one), widths[0] if widths else 0))
    for row, (_, _, values) in zip(coefficients, read_one, strict=True):
        row[: len(values)] = values
    return Transitions(
        np.array([state for state, _, _ in read_one], np.int64),
        np.array([base for _, base, _ in read_one], np.float64),
        coefficients,
    )


def _read_uniform(
    transitions: Sequence[object], state_length: int | None, parameterized: bool | None
) -> Transitions | None:
    try:
        columns = list(zip(*transitions, strict=True))
        if not 2 <= len(columns) <= 3:
            return None
        states = np.array(columns[0])
        base = np.array(columns[1])
        coefficients = np.array(columns[2]) if len(columns) == 3 else _NO_COEFFICIENTS
    except (ValueError, TypeError, OverflowError):
        return None
    if states.ndim != 2 or states.dtype.kind not in "iu":
        return None
    if states.shape[1] != state_length and state_length is not None:
        return None
    if len(columns) == 2 and base.ndim == 2 and parameterized is not False:
        base, coefficients = np.zeros(base.shape[0]), base
    if base.ndim != 1 or base.dtype.kind not in _NUMERIC:
        return None
    if coefficients.ndim != 2 or coefficients.dtype.kind not in _NUMERIC:
        return None
    if parameterized is False and coefficients.size and coefficients.any():
        return None
    return Transitions(states, base, coefficients)


def _read_one(
    transition: object,
    number: int,
    state_length: int | None,
    parameterized: bool | None,
    where: object,
) -> tuple[list[int], float, list[float]]:
    which = f"transition {number}"
    if not isinstance(transition, tuple | list) or not 2 <= len(transition) <= 3:
        refuse(where, f"returned {_shown(transition)} as {which}; expected {_EXPECTED}")
    state = _read_state(transition[0], state_length, which, where)
    if len(transition) == 3:
        base, coefficients = transition[1], transition[2]
    elif isinstance(transition[1], list | tuple) or np.ndim(transition[1]) == 1:
        base, coefficients = 0.0, transition[1]
    else:
        base, coefficients = transition[1], ()
    weight = _read_number(base, "weight", which, where)
    if not isinstance(coefficients, Iterable) or isinstance(coefficients, str | bytes):
        refuse(where, f"returned {_shown(coefficients)} as coefficients of {which}")
    values = [_read_number(value, "coefficient", which, where) for value in coefficients]
    if parameterized is False and any(values):
        refuse(
            where,
            f"returned coefficients in {which}, but the graph is built with parameterized=False",
            "pass parameterized=True, or return (next_state, weight)",
        )
    return state, weight, values


def _read_state(state: object, state_length: int | None, which: str, where: object) -> list[int]:
    if isinstance(state, str | bytes | dict | set) or not isinstance(state, Iterable):
        refuse(where, f"returned {_shown(state)} as the state of {which}; expected integers")
    values = list(state)
    try:
        numbers = [_whole(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        refuse(where, f"returned {_shown(state)} as the state of {which}; expected integers")
    if state_length is not None and len(numbers) != state_length:
        refuse(
            where,
            f"returned the state {tuple(numbers)} of length {len(numbers)} in {which}; "
            f"all states have length {state_length}",
        )
    return numbers


def _whole(value: object) -> int:
    if isinstance(value, float | np.floating):
        if not float(value).is_integer():
            raise ValueError
        return int(value)
    number = operator.index(value)  # type: ignore[arg-type]
    if abs(number) >= 1 << 63:
        raise OverflowError
    return number


def _read_number(value: object, what: str, which: str, where: object) -> float:
    if isinstance(value, str | bytes) or np.ndim(value) != 0:  # type: ignore[arg-type]
        refuse(where, f"returned {_shown(value)} as a {what} of {which}; expected a number")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        refuse(where, f"returned {_shown(value)} as a {what} of {which}; expected a number")


def refuse(where: object, what: str, hint: str = _HINT) -> NoReturn:
    raise GraphError(f"the callback at {where} {what}", code="CALLBACK_RESULT", hint=hint)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
