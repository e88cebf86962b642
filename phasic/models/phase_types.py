"""The named phase-type distributions, with their rates as parameters.

Bladt, M. & Nielsen, B. F. (2017). Matrix-Exponential Distributions in Applied Probability, section
3.1. Cox, D. R. (1955). A use of complex probabilities in the theory of stochastic processes.
Mathematical Proceedings of the Cambridge Philosophical Society 51, 313-319.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from phasic.graph import Graph
from phasic.models._rule import States, Transitions, chain, whole_number


def stages_rule(states: States, *, stages: int, common: bool) -> Transitions:
    """Stage i is followed by i + 1, at a rate common to all or its own; stages + 1 absorbs."""
    (source,) = np.nonzero(states[:, 0] <= stages)
    coefficients = np.zeros((source.size, 1 if common else stages))
    coefficients[np.arange(source.size), 0 if common else states[source, 0] - 1] = 1.0
    return source, states[source] + 1, np.zeros(source.size), coefficients


def erlang(stages: int) -> Graph:
    """The Erlang distribution: the sum of equal exponential times.

    Args:
        stages: k, at least 1.

    theta: the rate of each stage.
    States: `(stage,)`, from 1; k + 1 is absorbing.

    The mean is k / rate, the variance k / rate².

    Raises:
        GraphError: stages is no whole number of at least 1.

    Example:
        >>> graph = erlang(3)
        >>> round(graph.at([2.0]).mean(), 12)
        1.5
    """
    stages = whole_number("stages", stages, 1)
    return Graph(
        rule=partial(stages_rule, stages=stages, common=True),
        start=[((1,), 1.0, [0.0])],
        known_states=chain(1, stages + 1),
        parameter_names=["rate"],
        state_names=["stage"],
    )


def hypoexponential(stages: int) -> Graph:
    """The sum of exponential times, each with a rate of its own.

    Args:
        stages: k, at least 1.

    theta: the rate of each stage, in order.
    States: `(stage,)`, from 1; k + 1 is absorbing.

    The mean is the sum of 1 / rate, the variance that of 1 / rate².

    Raises:
        GraphError: stages is no whole number of at least 1.

    Example:
        >>> graph = hypoexponential(2)
        >>> round(graph.at([2.0, 4.0]).mean(), 12)
        0.75
    """
    stages = whole_number("stages", stages, 1)
    return Graph(
        rule=partial(stages_rule, stages=stages, common=False),
        start=[((1,), 1.0, [0.0] * stages)],
        known_states=chain(1, stages + 1),
        parameter_names=[f"rate_{i}" for i in range(1, stages + 1)],
        state_names=["stage"],
    )


def branches_rule(states: States, *, branches: int) -> Transitions:
    """Branch i ends at the rate theta[branches + i - 1]; 0 absorbs."""
    (source,) = np.nonzero(states[:, 0] > 0)
    coefficients = np.zeros((source.size, 2 * branches))
    coefficients[np.arange(source.size), branches + states[source, 0] - 1] = 1.0
    return source, np.zeros_like(states[source]), np.zeros(source.size), coefficients


def hyperexponential(branches: int) -> Graph:
    """A mixture of exponential times.

    Args:
        branches: k, at least 1.

    theta: the weight of each branch, which count relative to their sum; then the rate of each.
    States: `(branch,)`, from 1; 0 is absorbing.

    With weights p that sum to 1 the mean is the sum of p / rate, the second moment that of
    2 p / rate².

    Raises:
        GraphError: branches is no whole number of at least 1.

    Example:
        >>> graph = hyperexponential(2)
        >>> round(graph.at([0.25, 0.75, 1.0, 3.0]).mean(), 12)
        0.5
    """
    branches = whole_number("branches", branches, 1)
    weights = np.eye(branches, 2 * branches)
    names = [f"{what}_{i}" for what in ("weight", "rate") for i in range(1, branches + 1)]
    return Graph(
        rule=partial(branches_rule, branches=branches),
        start=[((i + 1,), 0.0, weights[i].tolist()) for i in range(branches)],
        parameter_names=names,
        state_names=["branch"],
    )


def coxian_rule(states: States, *, stages: int) -> Transitions:
    """Stage i goes on at rate theta[i - 1], ends at theta[stages - 1 + i - 1]; 0 absorbs."""
    stage = states[:, 0]
    (on,) = np.nonzero((stage > 0) & (stage < stages))
    (end,) = np.nonzero(stage > 0)
    coefficients = np.zeros((on.size + end.size, 2 * stages - 1))
    coefficients[np.arange(on.size), stage[on] - 1] = 1.0
    coefficients[on.size + np.arange(end.size), stages - 1 + stage[end] - 1] = 1.0
    source = np.concatenate([on, end])
    after = np.concatenate([states[on] + 1, np.zeros_like(states[end])])
    return source, after, np.zeros(source.size), coefficients


def coxian(stages: int) -> Graph:
    """The Coxian distribution: stages in a row, and a way out of each.

    Args:
        stages: k, at least 1.

    theta: the rate from each stage to the next, k - 1 of them; then the rate out of each, k.
    States: `(stage,)`, from 1; 0 is absorbing.

    With two stages the mean is (1 + on_1 / out_2) / (on_1 + out_1).

    Raises:
        GraphError: stages is no whole number of at least 1.

    Example:
        >>> graph = coxian(2)
        >>> round(graph.at([1.0, 1.0, 0.5]).mean(), 12)
        1.5
    """
    stages = whole_number("stages", stages, 1)
    names = [f"on_{i}" for i in range(1, stages)] + [f"out_{i}" for i in range(1, stages + 1)]
    return Graph(
        rule=partial(coxian_rule, stages=stages),
        start=[((1,), 1.0, [0.0] * len(names))],
        known_states=chain(0, stages),
        parameter_names=names,
        state_names=["stage"],
    )
