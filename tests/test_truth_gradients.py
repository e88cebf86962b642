"""Gradients from outside, seen through what has gradients of its own: a theta that changes into
itself, whose derivatives add up over the epochs, and a variance as a central moment."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from engines import graph_of, with_start
from phasic import PhasicWarning
from phasic.density_logs import Ask
from test_truth import CASES, EPOCH_CASES, name_of
from test_truth_density import numbers
from truth.truth_io import check, model_of

# Entries of continuous models without rewards, as epochs are about time, in which all paths end.
SPLIT = {"gradient of pdf": 41, "gradient of cdf": 28, "gradient of loglik": 13}
VARIANCES = 36


def recorded(case: dict[str, Any]) -> tuple[Any, Any]:
    """The model and its graph."""
    model = model_of(case)
    graph = graph_of(model)
    with warnings.catch_warnings():
        # of dropped vertices and of a start that is absorbed: both are asked for here
        warnings.simplefilter("ignore", PhasicWarning)
        graph.at(model.theta)
    return model, graph


def test_a_theta_that_changes_into_itself() -> None:
    counts = dict.fromkeys(SPLIT, 0)
    failures = []
    for name, case in CASES.items():
        entries = [entry for entry in case["expected"] if name_of(entry) in SPLIT]
        model, graph = recorded(case) if entries else (None, None)
        if model is None or model.discrete or name in EPOCH_CASES:
            continue
        plain = graph.at(model.theta)
        if plain.trace.handle.meta["n_dropped"]:
            continue
        # As far as occupation with derivatives goes.
        scale = min(plain.mean(), 1e30 / plain._chain(Ask()).fastest)
        for entry in entries:
            of = entry["args"]["of"]
            args = dict(of["args"])
            if args.pop("reward", None) is not None:
                continue
            changes = [(share * scale, model.theta) for share in (0.25, 0.5, 1.5)]
            at = graph.at(model.theta, epochs=changes)
            times = numbers(args.pop("data" if of["quantity"] == "loglik" else "t"))
            assert not args
            _, slope = getattr(at, of["quantity"])(times, gradient=True)
            if not check(entry, slope.sum(axis=-2)) <= 1:
                failures.append((name, name_of(entry), slope.sum(axis=-2), entry["value"]))
            counts[name_of(entry)] += 1
    assert not failures
    assert counts == SPLIT


def test_a_variance_is_a_central_moment() -> None:
    count = 0
    for name, case in CASES.items():
        for entry in case["expected"]:
            if name_of(entry) != "gradient of variance":
                continue
            model, graph = recorded(case)
            reward = entry["args"]["of"]["args"].get("reward")
            row = None if reward is None else with_start(model.rewards[reward], model.n_vertices)
            at = graph.at(model.theta)
            _, slopes = at.central_moments(2, row, gradient=True)
            assert check(entry, slopes[1]) <= 1, name
            _, slope = at.std(row, gradient=True)
            deviation = np.sqrt(at.variance(row))
            assert check(entry, 2 * deviation * slope) <= 1, name
            count += 1
    assert count == VARIANCES
