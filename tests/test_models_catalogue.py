"""The list of ready models: complete, runnable, and as fast as promised."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import shlex
from pathlib import Path

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
    assert out.startswith("phasic.models.structured:migration(n, demes=None, *, symmetric=True)\n")
    assert "Notohara" in out
    assert out.splitlines()[-1].startswith("phasic evaluate phasic.models.structured:migration ")
    data = command_line("models", name, "--json").envelope["data"]
    assert data["parameters"] == ["coalescence", "migration"]
    assert data["state"] == ["deme1", "deme2"]
    assert data["arguments"] == "n, demes=None, *, symmetric=True"


def test_a_name_that_is_none_is_told_its_neighbour():
    outcome = command_line("models", "kingmann")
    assert outcome.code == 1
    assert "error[MODEL_NOT_FOUND]" in outcome.err
    assert "did you mean kingman?" in outcome.err
    with pytest.raises(GraphError, match="no model"):
        catalogue.find("qqq")


@pytest.fixture
def shipped(monkeypatch):
    """The benchmark's measurement of these models; it is a folder of scripts and no package."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "scripts" / "bench"))
    return importlib.import_module("shipped")


def test_all_models_are_measured(shipped):
    assert {*shipped.SIZES, *shipped.TOO_SMALL} == ENTRIES.keys()


@pytest.mark.measured
@pytest.mark.parametrize("name", [name for name in ENTRIES if name != "illness_death"])
def test_every_model_builds_100_000_states_a_second(name, shipped):
    _, rate = shipped.states_per_second(ENTRIES[name])
    assert rate >= shipped.LEAST == 100_000
