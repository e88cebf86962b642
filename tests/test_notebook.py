"""What objects show in notebooks: numbers, escaping, bounds; and that it costs no recording."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from phasic import Graph, notebook
from phasic.errors import NumericError
from phasic.inference import PointEstimate, Posterior
from phasic.models import coalescent, queues

EVIL = "<script>alert(\"1\")</script> & 'co'"


class Reader(HTMLParser):
    """Elements, identifiers and rows; whatever begins must end."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.references = [], [], [], []
        self.rows, self.words = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src"):
                self.references.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    @property
    def fields(self):
        return {row[0]: row[1] for row in self.rows if len(row) == 2}


def read(thing):
    return Reader(thing._repr_html_())


def posterior(n_parameters=2):
    particles = np.arange(40.0 * n_parameters).reshape(40, n_parameters)
    return Posterior(
        particles=particles,
        trace=particles[np.newaxis],
        trace_iterations=np.zeros(1, np.int64),
        stein_discrepancy=0.1,
        effective_sample_size=39.0,
        movement=0.01,
        iterations=100,
        rests=True,
    )


def estimate(n_parameters=2):
    return PointEstimate(
        theta=np.arange(1.0, 1 + n_parameters),
        standard_errors=np.full(n_parameters, 0.5),
        covariance=np.eye(n_parameters) / 4,
        value=-1.0,
        at_bound=(),
        iterations=5,
        method="mle",
    )


def test_a_graph_is_neither_explored_nor_recorded(cache_directory):
    asked = []

    def rule(state):
        asked.append(state)
        return [([1], 1.0)] if state.size == 0 else []

    graph = Graph(callback=rule)
    assert read(graph).fields["vertices"] == "not explored yet"
    assert not asked
    big = coalescent.kingman(30)
    assert big.n_vertices == 31
    shown = read(big)
    assert (shown.fields["vertices"], shown.fields["edges"]) == ("31", "30")
    assert "svg" not in shown.tags
    assert big._trace is None
    assert not cache_directory.exists()


def test_a_small_graph_is_drawn_once_its_trace_is_there():
    graph = coalescent.kingman(5)
    assert "svg" not in read(graph).tags
    graph.compute_trace()
    shown = read(graph)
    assert shown.tags.count("svg") == 1
    assert shown.fields["names of parameters"] == "coalescence"
    assert shown.references
    assert all(reference.lstrip("#") in shown.ids for reference in shown.references)
    assert len(graph._repr_html_()) < 80_000


def test_drawings_of_different_things_share_no_identifier():
    one, two, again = (coalescent.kingman(n).compute_trace() for n in (4, 5, 4))
    assert not set(read(one).ids) & set(read(two).ids)
    assert one._repr_html_() == again._repr_html_()


@pytest.mark.parametrize("thing", ["graph", "trace", "distribution"])
def test_large_ones_are_a_table(thing):
    graph = queues.tandem(40, 40)
    trace = graph.compute_trace()
    shown = {"graph": graph, "trace": trace, "distribution": graph.at([1.0, 2.0, 3.0])}[thing]
    html = shown._repr_html_()
    assert "<svg" not in html
    assert len(html) < 4000
    assert Reader(html).fields["vertices"] == f"{trace.n_vertices:,}"


def test_a_trace_tells_its_sizes():
    trace = queues.tandem(9, 9).compute_trace()
    fields = read(trace).fields
    assert fields["key"] == trace.key
    assert fields["fill-in"] == f"{trace.statistics()['fill_in']:,}"
    assert trace.statistics()["fill_in"] > 0


def test_a_distribution_has_its_moments_and_its_density():
    shown = read(coalescent.kingman(5).at([1.0]))
    assert shown.fields["mean"] == "1.6"
    variance = sum((2 / (k * (k - 1))) ** 2 for k in range(2, 6))
    assert float(shown.fields["standard deviation"]) == pytest.approx(variance**0.5, rel=1e-5)
    assert shown.tags.count("svg") == 1


def test_what_cannot_be_drawn_says_why():
    graph = Graph(state_length=1)
    one, none = (graph.find_or_create_vertex([k]) for k in (1, 0))
    graph.starting_vertex().add_edge(one, 1.0)
    graph.add_edge_parameterized(one, none, 1.0, [-1.0])
    shown = read(graph.at([2.0]))
    assert any(text.startswith("not drawn: ") for text in shown.words)
    assert "svg" not in shown.tags
    with pytest.raises(NumericError):
        graph.at([2.0]).mean()


def test_epochs_are_listed_up_to_a_bound():
    graph = coalescent.kingman(3)
    epochs = [(float(k), [1.0 + k]) for k in range(1, 1000)]
    shown = read(graph.at([1.0], epochs=epochs))
    assert ["0", "1"] in shown.rows
    assert ["1", "2"] in shown.rows
    assert len(shown.rows) == notebook.MOST_ROWS + 1
    assert any("1,000 epochs" in text for text in shown.words)


def test_a_posterior_has_means_deviations_and_intervals():
    shown = read(posterior())
    head, first, second = shown.rows
    assert head == ["parameter", "mean", "sd", "2.5 %", "97.5 %"]
    assert float(first[1]) == 39.0
    assert float(second[1]) == 40.0
    assert float(first[2]) == pytest.approx(2 * ((40**2 - 1) / 12) ** 0.5, rel=1e-5)
    assert float(first[3]) == pytest.approx(0.025 * 78)
    assert any("40 particles" in text for text in shown.words)


def test_an_estimate_has_its_errors():
    _, first, _ = read(estimate()).rows
    assert [float(x) for x in first[1:3]] == [1.0, 0.5]
    assert float(first[3]) == pytest.approx(1 - 1.959964 / 2, rel=1e-4)


@pytest.mark.parametrize("make", [posterior, estimate])
def test_many_parameters_are_bounded(make):
    shown = read(make(500))
    assert len(shown.rows) == notebook.MOST_ROWS + 1
    assert any("500 parameters" in text for text in shown.words)


def test_a_long_theta_is_cut():
    graph = Graph(state_length=1)
    one, none = (graph.find_or_create_vertex([k]) for k in (1, 0))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(none, [1.0] * 300)
    assert "300 in all" in read(graph.at([1.0] * 300)).fields["theta"]


def test_all_text_is_escaped():
    def fails():
        raise NumericError(f"FATAL: {EVIL}", code="X", hint=EVIL)

    html = notebook.shown(EVIL, [(EVIL, EVIL)], columns=[EVIL], note=EVIL, drawing=fails)
    shown = Reader(html)
    assert "script" not in shown.tags
    assert shown.rows == [[EVIL], [EVIL, EVIL]]
    assert f"not drawn: {EVIL} ({EVIL})" in "".join(shown.words)
    assert notebook.entries([EVIL]) == EVIL


def test_without_matplotlib_the_table_is_there_and_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    shown = read(coalescent.kingman(4).at([1.0]))
    assert shown.fields["mean"] == "1.5"
    assert any("pip install 'phasic[plot]'" in text for text in shown.words)


def test_tables_alone_load_no_matplotlib():
    code = (
        "import sys\n"
        "from phasic.models import coalescent, queues\n"
        "coalescent.kingman(5)._repr_html_()\n"
        "graph = queues.tandem(20, 20)\n"
        "graph.compute_trace()._repr_html_()\n"
        "graph._repr_html_()\n"
        "graph.at([1.0, 2.0, 3.0])._repr_html_()\n"
        "print('matplotlib' in sys.modules)\n"
        "coalescent.kingman(5).at([1.0])._repr_html_()\n"
        "print('matplotlib' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
