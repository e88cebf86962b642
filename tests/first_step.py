"""Mean times and absorption probabilities by first-step equations, in exact rationals.

An oracle that shares nothing with the library: a chain is a function from a state to the list of
(next state, rate), written by the test, and the equations are solved by Gauss elimination.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction

State = Hashable
Moves = Callable[[State], list[tuple[State, Fraction]]]


def solve(start: State, moves: Moves, value: Callable[[State], Fraction], end: Moves) -> Fraction:
    """The expected sum over the states on the way of value / total rate, plus `end` at absorption.

    x(s) = (value(s) + sum of rate x(next)) / total rate; x(absorbing) = end(absorbing).
    """
    order = [start]
    rows: dict[State, dict[State, Fraction]] = {}
    constants: dict[State, Fraction] = {}
    for state in order:
        out = [(after, Fraction(rate)) for after, rate in moves(state) if rate]
        if not out:
            rows[state], constants[state] = {}, Fraction(end(state))
            continue
        total = sum(rate for _, rate in out)
        row: dict[State, Fraction] = {}
        for after, rate in out:
            row[after] = row.get(after, Fraction(0)) + rate / total
            if after not in order:
                order.append(after)
        rows[state], constants[state] = row, Fraction(value(state)) / total
    # The last found first: states are put into those before them, the start is left.
    for k, state in reversed(list(enumerate(order))):
        row, constant = rows[state], constants[state]
        own = row.pop(state, Fraction(0))
        if own:
            row = {after: p / (1 - own) for after, p in row.items()}
            constant = constant / (1 - own)
        rows[state], constants[state] = row, constant
        for before in order[:k]:
            share = rows[before].pop(state, None)
            if share is not None:
                for after, p in row.items():
                    rows[before][after] = rows[before].get(after, Fraction(0)) + share * p
                constants[before] += share * constant
    return constants[start]


def mean_time(start: State, moves: Moves) -> Fraction:
    """The expected time until a state without moves."""
    return solve(start, moves, lambda state: 1, lambda state: 0)


def absorption(start: State, moves: Moves, end: State) -> Fraction:
    """The probability of being absorbed in `end`."""
    return solve(start, moves, lambda state: 0, lambda state: int(state == end))
