"""The list of ready models: complete, runnable, and as fast as promised."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import shlex
import time

import numpy as np
import pytest

import phasic.models
from cli_runner import phasic as command_line
from phasic import Graph
from phasic.errors import GraphError
from phasic.models import catalogue

ENTRIES = {entry.name: entry for entry in catalogue.entries()}


def test_every_module_is_listed():
    found = {module.name for module in pkgutil.iter_modules(phasic.models.__path__)}
    public = {name for name in found if not name.startswith("_")} - {"catalogue"}
    assert public == set(phasic.models.__all__)


def test_names_are_unique():
    assert len(ENTRIES) == len(catalogue.entries()) >= 27


@pytest.mark.parametrize("module", [*phasic.models.__all__, "catalogue"])
def test_examples_of_the_docstrings(module):
    failed, tried = doctest.testmod(importlib.import_module(f"phasic.models.{module}"))
    assert failed == 0
    assert tried > 0


@pytest.mark.parametrize("name", ENTRIES)
def test_every_model_says_what_it_is(name):
    entry = ENTRIES[name]
    assert entry.summary.endswith((".", ")"))
    for part in ("theta", "States:", "Example:"):
        assert part in entry.text, part
    assert "(19" in entry.source or "(20" in entry.source, "a year of a reference"
    graph = entry.example_graph
    assert isinstance(graph, Graph)
    assert len(graph.parameter_names) == graph.n_parameters
    assert len(graph.state_names) == graph.states().shape[1]
    # Named, and not by number.
    assert "theta1" not in graph.parameter_names
    assert "x1" not in graph.state_names


@pytest.mark.parametrize("name", ENTRIES)
def test_every_command_runs(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path))
    program, *arguments = shlex.split(ENTRIES[name].command)
    assert program == "phasic"
    outcome = command_line(*arguments)
    assert outcome.code == 0, outcome.err
    first, second = outcome.records[0]["moments"]
    assert 0 < first * first <= second


def test_the_command_lists_them():
    lines = command_line("models").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == [entry.place for entry in ENTRIES.values()]


@pytest.mark.parametrize(
    "name", ["migration", "structured:migration", "phasic.models.structured:migration"]
)
def test_the_command_shows_one(name):
    out = command_line("models", name).out
    assert out.startswith("phasic.models.structured:migration\n")
    assert "Notohara" in out
    assert out.splitlines()[-1].startswith("phasic evaluate phasic.models.structured:migration ")
    data = command_line("models", name, "--json").envelope["data"]
    assert data["parameters"] == ["coalescence", "migration"]
    assert data["state"] == ["deme1", "deme2"]
    assert data["call"] == "migration(n, demes=None, *, symmetric=True)"


def test_a_name_that_is_none_is_told_its_neighbour():
    outcome = command_line("models", "kingmann")
    assert outcome.code == 1
    assert "error[MODEL_NOT_FOUND]" in outcome.err
    assert "did you mean kingman?" in outcome.err
    with pytest.raises(GraphError, match="no model"):
        catalogue.find("qqq")


LARGE = {
    "overflow": {"capacity": 2000},
    "busy_period": {"capacity": 2000},
    "extinction": {"initial": 1, "capacity": 2000},
    "kingman": {"n": 2000},
    "site_frequency": {"n": 25},
    "sir": {"population": 60},
    "seir": {"population": 25},
    "sis": {"population": 2000},
    "isolation_with_migration": {"n": [3, 3]},
    "beta": {"n": 40, "alpha": 1.5},
    "dirac": {"n": 40, "psi": 0.3},
    "erlang": {"stages": 2000},
    "hypoexponential": {"stages": 40},
    "hyperexponential": {"branches": 40},
    "coxian": {"stages": 40},
    "moran": {"population": 2000},
    "wright_fisher": {"population": 40},
    "tandem": {"first": 60, "second": 60},
    "ph_ph_1": {
        "arrival": ([1.0, 0.0], [[-2.0, 2.0], [0.0, -2.0]]),
        "service": ([0.5, 0.5], [[-2.0, 0.0], [0.0, -3.0]]),
        "capacity": 500,
    },
    "k_out_of_n": {"n": 2000, "k": 1},
    "standby": {"units": 2000},
    "seed_bank": {"active": 60},
    "migration": {"n": 30, "demes": 3},
    "illness_death": {},
    "two_locus": {"n": 30},
    "gamblers_ruin": {"capital": 1, "target": 2000},
    "coupon_collector": {"coupons": 2000},
}


def test_all_models_are_built_large():
    assert LARGE.keys() == ENTRIES.keys()


@pytest.mark.measured
@pytest.mark.parametrize("name", [name for name in ENTRIES if name != "illness_death"])
def test_every_model_builds_100_000_states_a_second(name):
    """The best of five: the time is the model's, not that of its neighbours. (Two states of health
    are too few for a rate to mean anything.)"""
    best = np.inf
    for _ in range(5):
        graph = ENTRIES[name].function(**LARGE[name])
        began = time.process_time()
        n_vertices = graph.n_vertices
        best = min(best, time.process_time() - began)
    assert n_vertices / best >= 100_000
