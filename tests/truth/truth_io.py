"""Loader and comparer of the reference answers in ``cases`` (schema ``ptd-truth/1``).

Each case is one model and its expected values, made without phasic: exact rationals, arb balls,
closed forms, published numbers and msprime statistics. Every number of a model is a string for an
exact rational.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from reference.model import Model

CASES = Path(__file__).parent / "cases"


def load() -> list[dict[str, Any]]:
    """All cases, in the order of their names."""
    return [json.loads(path.read_text()) for path in sorted(CASES.glob("*.json"))]


def model_of(case: dict[str, Any], exact: bool = False) -> Model:
    """The case's model with float weights, or with the exact rationals."""
    read = Fraction if exact else lambda text: float(Fraction(text))
    raw = case["model"]
    return Model(
        n_vertices=raw["n_vertices"],
        start=[(v, read(b), tuple(map(read, c))) for v, b, c in raw["start"]],
        edges=[(u, v, read(b), tuple(map(read, c))) for u, v, b, c in raw["edges"]],
        n_parameters=raw["n_params"],
        discrete=raw["discrete"],
        improper="improper" in case["tags"],
        theta=[read(x) for x in raw["theta"]],
        rewards={name: [read(x) for x in row] for name, row in raw.get("rewards", {}).items()},
    )


def _flat(value: Any) -> Iterator[Any]:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def check(expected: dict[str, Any], got: Any) -> float:
    """The worst of |got - value| / (abs_tol + rel_tol |value|): accepted where it is at most 1."""
    values = [float(x) for x in _flat(expected["value"])]
    found = [float(x) for x in _flat(got)]
    if len(values) != len(found):
        return math.inf
    worst = 0.0
    for x, y in zip(found, values, strict=True):
        if math.isinf(y):
            ratio = 0.0 if x == y else math.inf
        else:
            distance = abs(x - y)
            allowed = expected.get("abs_tol", 0.0) + expected["rel_tol"] * abs(y)
            ratio = 0.0 if distance == 0 else distance / allowed if allowed > 0 else math.inf
        worst = max(worst, math.inf if math.isnan(ratio) else ratio)
    return worst
