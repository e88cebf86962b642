"""Pictures: what is drawn, where, in which words; files; and what is refused.

Figures are read back through Matplotlib's own objects: the data of lines, the extents of texts.
"""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from phasic import Graph
from phasic.errors import ConfigError, DependencyError, GraphError, NumericError, PhasicWarning
from phasic.models import coalescent, structured
from phasic.plots import MOST_VERTICES, plot_function, plot_graph, save_figure
from phasic.plots.weights import weighted_edges


def exponential(rate=2.0):
    return Graph.from_matrices([1.0], [[-rate]]).at()


def geometric(p=0.25):
    return Graph.from_matrices([1.0], [[1 - p]], discrete=True).at()


def texts_of(figure):
    return [text for axes in figure.axes for text in axes.texts if text.get_text()]


def curve_of(figure):
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "model"]
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def nothing_is_cut_off(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    renderer = canvas.get_renderer()
    (axes,) = figure.axes
    labels = [axes.xaxis.label, axes.yaxis.label, axes.title] if axes.axison else []
    found = [*texts_of(figure), *labels]
    assert found
    for text in found:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0, text.get_text()
        assert box.y0 >= 0, text.get_text()
        assert box.x1 <= width, text.get_text()
        assert box.y1 <= height, text.get_text()


# -- curves


def test_a_density_is_drawn_between_its_quantiles():
    x, y = curve_of(plot_function(exponential()))
    np.testing.assert_allclose(y, 2 * np.exp(-2 * x), rtol=1e-9)
    assert x[0] == 0
    assert x[-1] == pytest.approx(-np.log(0.001) / 2, rel=1e-9)
    # As densely as it turns: the polygon is nowhere off by what can be seen.
    middle = (x[1:] + x[:-1]) / 2
    gap = np.abs((y[1:] + y[:-1]) / 2 - 2 * np.exp(-2 * middle))
    assert gap.max() < 2e-3 * y.max()


@pytest.mark.parametrize(
    ("what", "function"),
    [
        ("cdf", lambda x: -np.expm1(-2 * x)),
        ("sf", lambda x: np.exp(-2 * x)),
        ("hazard", lambda x: 2 + 0 * x),
    ],
)
def test_other_functions(what, function):
    x, y = curve_of(plot_function(exponential(), what))
    np.testing.assert_allclose(y, function(x), rtol=1e-9, atol=1e-15)


def test_times_are_the_users():
    x, _ = curve_of(plot_function(exponential(), times=[3, 1, 2, 1]))
    assert x.tolist() == [1, 2, 3]


def test_a_narrow_peak_is_not_passed_over():
    """Erlang's with 100 stages of mean 1 in one case of 20, else an exponential of mean 100."""
    stages = 100
    generator = np.diag(np.full(stages + 1, -float(stages)))
    generator[-1, -1] = -1e-2
    generator += np.diag(np.append(np.full(stages - 1, float(stages)), 0), 1)
    alpha = np.zeros(stages + 1)
    alpha[0], alpha[-1] = 0.05, 0.95
    x, y = curve_of(plot_function(Graph.from_matrices(alpha, generator).at()))
    peak = 0.05 * np.sqrt(stages / (2 * np.pi))
    assert y.max() == pytest.approx(peak + 0.0095 * np.exp(-0.01), rel=0.01)
    assert x[y.argmax()] == pytest.approx(1, rel=0.02)


def test_rates_that_are_far_apart_are_drawn_on_logarithmic_axes():
    wide = Graph.from_matrices([0.6, 0.4], np.diag([-100.0, -0.01])).at()
    axes = plot_function(wide).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert "logarithmic" in axes.get_xlabel()
    axes = plot_function(wide, "cdf").axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert plot_function(exponential()).axes[0].get_xscale() == "linear"


def test_a_time_of_1_may_be_far_beyond_what_is_drawn():
    figure = plot_function(coalescent.kingman(5).at([1e9]), "hazard")
    x, y = curve_of(figure)
    assert x[-1] < 1e-7
    assert y[-1] == pytest.approx(1e9, rel=1e-2)
    figure.canvas.draw()
    # Each number has its factor with it: above the axis it would stand on the small print.
    assert figure.axes[0].yaxis.get_offset_text().get_text() == ""


def test_discrete_probabilities_stand_at_whole_numbers():
    x, y = curve_of(plot_function(geometric()))
    assert x.tolist() == list(range(len(x)))
    np.testing.assert_allclose(y[1:], 0.25 * 0.75 ** (x[1:] - 1), rtol=1e-9)


def test_many_steps_are_thinned_and_that_is_said():
    figure = plot_function(geometric(1e-4))
    x, _ = curve_of(figure)
    assert len(x) <= 2001
    stride = int(x[1] - x[0])
    assert stride > 1
    assert f"every {stride}th is drawn" in figure.axes[0].get_xlabel()


def test_words_name_units_and_numbers():
    axes = plot_function(coalescent.kingman(5).at([1.0])).axes[0]
    assert axes.get_xlabel() == "time  t"
    assert "1 / unit of time" in axes.get_ylabel()
    note = axes.texts[0].get_text()
    assert "θ = 1 " in note
    assert "mean 1.6" in note
    assert plot_function(geometric()).axes[0].get_xlabel() == "steps  k"


def test_the_atom_at_zero_is_said():
    axes = plot_function(Graph.from_matrices([0.75], [[-1.0]]).at()).axes[0]
    assert "P(T = 0) = 0.25" in axes.texts[0].get_text()


def test_what_never_ends_is_said_in_place_of_a_mean():
    S = [[-4, 3, 0], [0, -1, 1], [0, 1, -1]]
    with pytest.warns(PhasicWarning, match="absorption"):
        x = Graph.from_matrices([1, 0, 0], S, improper=True).at()
    axes = plot_function(x).axes[0]
    assert axes.texts[0].get_text() == "P(T = ∞) = 0.75"


def test_rewards_are_drawn_in_place_of_time():
    graph = coalescent.kingman(2)
    rewards = np.full(graph.n_vertices, 2.0)
    figure = plot_function(graph.at([2.0]), "sf", rewards=rewards)
    x, y = curve_of(figure)
    np.testing.assert_allclose(y, np.exp(-x), rtol=1e-9)
    assert figure.axes[0].get_xlabel() == "reward  y"


def test_data_are_a_histogram_of_area_1_less_the_zeros():
    data = np.random.default_rng(1).exponential(0.5, 400)
    data[:100] = 0
    figure = plot_function(exponential(), data=data)
    bars = [patch for patch in figure.axes[0].patches if hasattr(patch, "get_height")]
    area = sum(bar.get_height() * bar.get_width() for bar in bars)
    assert area == pytest.approx(0.75)
    assert "400 observations" in texts_of(figure)[0].get_text()


def test_data_beside_a_distribution_function_are_their_own():
    figure = plot_function(exponential(), "cdf", data=[0.5, 0.1, 0.3], weights=[1, 2, 1])
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "data"]
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert x[1:4].tolist() == [0.1, 0.3, 0.5]
    assert y[1:4].tolist() == [0.5, 0.75, 1.0]


# -- graphs


def test_every_state_and_rate_of_a_graph_is_there():
    figure = plot_graph(coalescent.kingman(5).compute_trace(), [1.0])
    words = [text.get_text() for text in texts_of(figure)]
    for word in ("start", "5", "4", "3", "2", "10", "6"):
        assert word in words
    (axes,) = figure.axes
    boxes = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    assert (len(boxes), len(arrows)) == (6, 5)


def test_rates_are_formulas_where_no_theta_is_given():
    graph = Graph(state_length=1)
    one, none = (graph.find_or_create_vertex([k]) for k in (1, 0))
    graph.starting_vertex().add_edge(one, 1.0)
    graph.add_edge_parameterized(one, none, 0.5, [3.0, -1.0])
    trace = graph.compute_trace()
    labels = {(edge.source, edge.target): edge.label for edge in weighted_edges(trace, None)}
    assert sorted(labels.values()) == ["0.5 + 3 θ₁ \N{MINUS SIGN} θ₂", "1"]
    (rate,) = [edge for edge in weighted_edges(trace, [1.0, 0.25]) if edge.source != 0]
    assert (rate.label, rate.weight) == ("3.25", 3.25)


def test_start_weights_are_probabilities_and_zero_rates_are_left_out():
    graph = structured.migration([1, 1])
    pairs = {
        (edge.source, edge.target) for edge in weighted_edges(graph.compute_trace(), [1.0, 0.0])
    }
    assert len(pairs) < len(weighted_edges(graph.compute_trace(), None))
    mixed = Graph.from_matrices([0.25, 0.75], [[-1.0, 0.0], [0.0, -2.0]])
    entering = [e.weight for e in weighted_edges(mixed.compute_trace(), []) if e.source == 0]
    assert sorted(entering) == [0.25, 0.75]


def test_a_discrete_graph_shows_the_probability_of_staying():
    trace = Graph.from_matrices([1.0], [[0.75]], discrete=True).compute_trace()
    words = [text.get_text() for text in texts_of(plot_graph(trace, []))]
    assert "0.75" in words
    assert "0.25" in words


@pytest.mark.parametrize(
    "figure",
    [
        lambda: plot_function(coalescent.kingman(5).at([1.0])),
        lambda: plot_function(coalescent.kingman(5).at([1.0]), "hazard", title="A title"),
        lambda: plot_function(geometric()),
        lambda: plot_function(Graph.from_matrices([0.6, 0.4], np.diag([-100.0, -0.01])).at()),
        lambda: plot_graph(coalescent.kingman(5).compute_trace(), [1.0]),
        lambda: plot_graph(coalescent.kingman(40).compute_trace()),
        lambda: plot_graph(coalescent.site_frequency(6).compute_trace(), [1.0]),
        lambda: plot_graph(structured.migration([2, 2]).compute_trace(), [1.0, 0.3]),
        lambda: plot_graph(Graph.from_matrices([1.0], [[0.75]], discrete=True).compute_trace(), []),
    ],
)
def test_no_text_is_cut_off(figure):
    nothing_is_cut_off(figure())


def test_the_check_of_what_is_cut_off_can_fail():
    figure = plot_function(exponential())
    figure.axes[0].texts[0].set_in_layout(False)
    figure.axes[0].texts[0].set_x(-500)
    with pytest.raises(AssertionError):
        nothing_is_cut_off(figure)


# -- files


def test_png_and_svg(tmp_path):
    figure = plot_function(exponential())
    for name in ("a.png", "a.svg", "b.SVG"):
        save_figure(figure, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")


def test_drawing_leaves_pyplot_and_settings_alone():
    code = (
        "import sys, matplotlib\n"
        "before = dict(dict.items(matplotlib.rcParams))\n"
        "from phasic import Graph\n"
        "from phasic.plots import plot_function, plot_graph, save_figure\n"
        "graph = Graph.from_matrices([1.0], [[-2.0]])\n"
        "save_figure(plot_function(graph.at()), sys.argv[1] + '/a.png')\n"
        "save_figure(plot_graph(graph.compute_trace()), sys.argv[1] + '/a.svg')\n"
        "assert dict(dict.items(matplotlib.rcParams)) == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code, "/tmp"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# -- what is refused


def test_a_graph_that_is_too_large():
    with pytest.raises(GraphError) as caught:
        plot_graph(coalescent.kingman(MOST_VERTICES).compute_trace())
    assert caught.value.code == "PLOT_TOO_LARGE"
    assert caught.value.hint


def test_functions_that_are_not_there():
    with pytest.raises(ConfigError) as caught:
        plot_function(exponential(), "spectrum")
    assert caught.value.code == "PLOT_UNKNOWN"
    with pytest.raises(NumericError) as caught:
        plot_function(geometric(), "pdf")
    assert caught.value.code == "NOT_CONTINUOUS"
    with pytest.raises(NumericError) as caught:
        plot_function(exponential(), "pmf")
    assert caught.value.code == "NOT_DISCRETE"


@pytest.mark.parametrize("times", [[1.0], [], [1.0, 1.0], [0.0, np.inf], [0.0, np.nan]])
def test_times_that_make_no_curve(times):
    with pytest.raises(NumericError) as caught:
        plot_function(exponential(), times=times)
    assert caught.value.code == "PLOT_TIMES"


@pytest.mark.parametrize("data", [[], [np.nan], [1.0, np.inf]])
def test_data_that_cannot_be_drawn(data):
    with pytest.raises(NumericError) as caught:
        plot_function(exponential(), data=data)
    assert caught.value.code == "PLOT_DATA"


def test_data_have_no_place_beside_a_hazard_rate():
    with pytest.raises(ConfigError) as caught:
        plot_function(exponential(), "hazard", data=[1.0])
    assert caught.value.code == "PLOT_DATA"


def test_a_variable_that_is_always_zero():
    with pytest.raises(NumericError) as caught:
        plot_function(exponential(), "cdf", rewards=[0.0, 0.0, 0.0])
    assert caught.value.code == "PLOT_EMPTY"


def test_other_formats(tmp_path):
    with pytest.raises(ConfigError) as caught:
        save_figure(plot_function(exponential()), tmp_path / "a.gif")
    assert caught.value.code == "PLOT_FORMAT"
    assert not (tmp_path / "a.gif").exists()


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (
        lambda: plot_function(exponential()),
        lambda: plot_graph(coalescent.kingman(3).compute_trace()),
    ):
        with pytest.raises(DependencyError) as caught:
            draw()
        assert caught.value.hint == "pip install 'phasic[plot]'"
