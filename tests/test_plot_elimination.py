"""The picture of an elimination: its counts, against elimination done on sets; colours; bounds."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from cli_runner import phasic
from phasic import Graph
from phasic.cli.exit_codes import ExitCode
from phasic.errors import DependencyError, GraphError, PhasicWarning
from phasic.models import coalescent, epidemics, queues, structured, two_locus
from phasic.plots import elimination_pattern, plot_elimination, save_figure, style
from phasic.plots import pattern as pattern_module

MODELS = {
    "kingman": lambda: coalescent.kingman(6),
    "tandem": lambda: queues.tandem(7, 5),
    "migration": lambda: structured.migration([4, 0, 0]),
    "two loci": lambda: two_locus.two_locus(6),
    "sis": lambda: epidemics.sis(12),
    "site frequencies": lambda: coalescent.site_frequency(8),
}


def order_of(trace):
    """The transient vertices in the order in which they are eliminated."""
    meta = trace.handle.meta
    boundary = meta["n_absorbing"] + meta["n_dropped"]
    return trace.handle.array("position_vertex")[boundary:-1].tolist()


def eliminated(graph, order):
    """Edges between the vertices, and those that elimination in this order adds, as sets of pairs.

    Vertices of a strong component that are gone lead from each of their predecessors to each of
    their successors in it.
    """
    edges = graph.edges()
    transient = set(order)
    pairs = {
        (s, t)
        for s, t in zip(edges.source.tolist(), edges.target.tolist(), strict=True)
        if s in transient and t in transient and s != t
    }
    reach = {v: {v} for v in order}
    for _ in order:
        for s, t in pairs:
            reach[s] |= reach[t]
    together = {(s, t) for s in order for t in reach[s] if s in reach[t]}
    present = set(pairs)
    for k, v in enumerate(order):
        later = set(order[k + 1 :])
        into = [s for s, t in present if t == v and s in later and (s, v) in together]
        out = [t for s, t in present if s == v and t in later and (v, t) in together]
        present |= {(s, t) for s in into for t in out if s != t}
    return pairs, present - pairs


def grid_of(pairs, order):
    place = {vertex: k for k, vertex in enumerate(order)}
    grid = np.zeros((len(order), len(order)), int)
    for s, t in pairs:
        grid[place[s], place[t]] += 1
    return grid


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_pattern_is_that_of_an_elimination_on_sets(model):
    graph = model()
    trace = graph.compute_trace()
    order = order_of(trace)
    edges, fill = eliminated(graph, order)
    pattern = elimination_pattern(trace)
    np.testing.assert_array_equal(pattern.given, grid_of(edges, sorted(order)))
    np.testing.assert_array_equal(pattern.ordered, grid_of(edges, order))
    np.testing.assert_array_equal(pattern.fill, grid_of(fill, order))
    assert pattern.fill.sum() == trace.statistics()["fill_in"]


def test_some_of_these_models_have_fill_in():
    assert elimination_pattern(MODELS["tandem"]().compute_trace()).fill.sum() > 10


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_pattern_of_any_matrix(size, random):
    S = [[random.choice([0, 0, 1]) if i != j else 0 for j in range(size)] for i in range(size)]
    for i, row in enumerate(S):
        row[i] = -sum(row) - 1
    graph = Graph.from_matrices([1 / size] * size, S)
    trace = graph.compute_trace()
    order = order_of(trace)
    edges, fill = eliminated(graph, order)
    pattern = elimination_pattern(trace)
    np.testing.assert_array_equal(pattern.given, grid_of(edges, sorted(order)))
    np.testing.assert_array_equal(pattern.fill, grid_of(fill, order))


def test_a_grid_of_cells_counts_the_entries_in_each(monkeypatch):
    trace = queues.tandem(7, 5).compute_trace()
    fine = elimination_pattern(trace)
    monkeypatch.setattr(pattern_module, "MOST_CELLS", 10)
    monkeypatch.setattr(pattern_module, "_CHUNK", 7)
    coarse = elimination_pattern(trace)
    width = coarse.states_a_cell
    assert width == -(-fine.n_states // 10) > 1
    cells = range(0, fine.n_states, width)
    for name in ("given", "ordered", "fill"):
        expected = np.add.reduceat(np.add.reduceat(getattr(fine, name), cells, 0), cells, 1)
        np.testing.assert_array_equal(getattr(coarse, name), expected)


def test_many_states_are_few_cells():
    trace = structured.migration([12, 0, 0, 0]).compute_trace()
    pattern = elimination_pattern(trace)
    assert pattern.n_states > 1000
    assert max(pattern.fill.shape) <= pattern_module.MOST_CELLS
    assert pattern.fill.sum() == trace.statistics()["fill_in"] > 0
    assert pattern.given.sum() == pattern.ordered.sum()


def test_components_of_several_states_are_found():
    found = elimination_pattern(structured.migration([3, 3]).compute_trace()).components
    # With k lineages there are k + 1 ways to divide them between two demes.
    assert np.diff(found).ravel().tolist() == [2, 3, 4, 5, 6]
    assert not len(elimination_pattern(coalescent.kingman(5).compute_trace()).components)


def marked(axes, colour):
    """The number of cells of a colour."""
    (image,) = axes.images
    return int(np.isclose(image.get_array(), to_rgb(colour), atol=1e-9).all(axis=-1).sum())


def test_every_entry_is_marked_in_its_colour():
    trace = queues.tandem(6, 6).compute_trace()
    facts = trace.statistics()
    given_axes, ordered = plot_elimination(trace).axes
    assert marked(ordered, style.ORANGE) == facts["fill_in"] > 0
    assert marked(given_axes, style.ORANGE) == 0
    edges = int(elimination_pattern(trace).given.sum())
    assert marked(given_axes, style.BLUE) == marked(ordered, style.BLUE) == edges
    assert marked(ordered, style.GREY) == elimination_pattern(trace).n_states


def test_the_faintest_entry_is_seen():
    figure = plot_elimination(coalescent.site_frequency(24).compute_trace())
    image = figure.axes[0].images[0].get_array()
    coloured = image[(image < 1).any(axis=-1)]
    assert len(coloured)
    assert coloured.min(axis=-1).max() < 0.8  # 1 is white


def test_words_tell_the_sizes():
    trace = queues.tandem(6, 6).compute_trace()
    words = " ".join(text.get_text() for text in plot_elimination(trace).texts)
    assert f"fill-in {trace.statistics()['fill_in']:,}" in words
    assert "largest component 49 states" in words


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_picture_is_the_same_file(suffix, tmp_path):
    for name in ("a", "b"):
        save_figure(
            plot_elimination(queues.tandem(4, 4).compute_trace()), tmp_path / f"{name}.{suffix}"
        )
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_a_model_without_a_matrix():
    graph = Graph(state_length=1)
    graph.starting_vertex().add_edge(graph.find_or_create_vertex([0]), 1.0)
    with pytest.warns(PhasicWarning, match="START_ABSORBED"):
        trace = graph.compute_trace()
    with pytest.raises(GraphError) as caught:
        plot_elimination(trace)
    assert caught.value.code == "PLOT_EMPTY"


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DependencyError):
        plot_elimination(coalescent.kingman(3).compute_trace())


# -- the command


def test_inspect_draws_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = phasic("inspect", "phasic.models.queues:tandem", "--arg", "first=4", "--arg",
                     "second=4", "--plot", "pattern.svg")  # fmt: skip
    assert (outcome.code, outcome.out) == (ExitCode.DONE, "pattern.svg\n")
    assert "<svg" in (tmp_path / "pattern.svg").read_text()
    wrong = phasic("inspect", "model.py", "--plot", "pattern.gif", "--json")
    assert wrong.envelope["error"]["code"] == "PLOT_FORMAT"
    assert not (tmp_path / "pattern.gif").exists()
