"""The edges of a trace with their weights, as numbers at a theta or as formulas in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .style import MINUS, number

if TYPE_CHECKING:
    from ..trace_elimination import EliminationTrace

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class WeightedEdge:
    """An edge between two vertices, by number; its weight is NaN where no theta is given."""

    source: int
    target: int
    label: str
    weight: float = math.nan


def weighted_edges(trace: EliminationTrace, theta: ArrayLike | None) -> list[WeightedEdge]:
    """The edges, those of weight 0 at theta left out; start weights as probabilities there.

    Args:
        trace: of the graph.
        theta: (n_parameters,), or None: labels are formulas.

    Raises:
        NumericError: theta does not fit.
    """
    evaluator = trace.evaluator
    vertex = trace.handle.array("position_vertex").astype(np.int64)
    at = np.zeros(trace.n_parameters) if theta is None else evaluator.as_theta(theta)
    source, target, weight = evaluator.edges(at)
    ends = list(zip(vertex[source].tolist(), vertex[target].tolist(), strict=True))
    if theta is None:
        base, terms = trace.handle.array("form_base"), _terms(trace)
        formulas = [
            _formula(float(b), own, trace.n_parameters) for b, own in zip(base, terms, strict=False)
        ]
        forms = trace.handle.array("edge_form").tolist()
        return [WeightedEdge(*pair, formulas[form]) for pair, form in zip(ends, forms, strict=True)]
    entering = vertex[source] == trace.starting_vertex
    weight[entering] /= weight[entering].sum()
    return [
        WeightedEdge(*pair, number(w, 3), w)
        for pair, w in zip(ends, weight.tolist(), strict=True)
        if w > 0
    ]


def _terms(trace: EliminationTrace) -> list[list[tuple[int, float]]]:
    """For each form its parameters and their coefficients."""
    array = trace.handle.array
    starts = array("form_start").astype(np.int64).tolist()
    pairs = list(
        zip(array("form_parameter").tolist(), array("form_coefficient").tolist(), strict=True)
    )
    return [pairs[a:b] for a, b in pairwise(starts)]


def _formula(base: float, terms: list[tuple[int, float]], n_parameters: int) -> str:
    """`0.5 + 3θ₁`."""
    parts = [number(base, 3)] if base or not terms else []
    for parameter, coefficient in terms:
        name = "θ" if n_parameters == 1 else "θ" + str(parameter + 1).translate(_SUBSCRIPTS)
        factor = "" if abs(coefficient) == 1 else number(abs(coefficient), 3) + " "
        sign = MINUS if coefficient < 0 else ("+" if parts else "")
        parts.append(f"{sign} {factor}{name}".strip() if parts else f"{sign}{factor}{name}")
    return " ".join(parts)
