"""Site-frequency spectra as pictures: numbers against Fu's (1995) closed forms, words, limits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cli_runner import phasic
from phasic import Graph
from phasic.cli.exit_codes import ExitCode
from phasic.errors import ConfigError, NumericError
from phasic.models import coalescent, isolation
from phasic.plots import plot_covariance, plot_spectrum, save_figure, spectrum


def fu(n):
    """Means 1 / i and covariances of the spectrum of n at theta = 1, as (means, sigma)."""
    a = np.concatenate([[0, 0], np.cumsum(1 / np.arange(1, n + 1))])  # a[k]: sum of 1 / i, i < k

    def beta(i):
        return 2 * n / ((n - i + 1) * (n - i)) * (a[n + 1] - a[i]) - 2 / (n - i)

    sigma = np.empty((n - 1, n - 1))
    for i in range(1, n):
        if 2 * i < n:
            sigma[i - 1, i - 1] = beta(i + 1)
        elif 2 * i == n:
            sigma[i - 1, i - 1] = 2 * (a[n] - a[i]) / (n - i) - 1 / i**2
        else:
            sigma[i - 1, i - 1] = beta(i) - 1 / i**2
        for j in range(1, i):
            if i + j < n:
                value = (beta(i + 1) - beta(i)) / 2
            elif i + j == n:
                value = (a[n] - a[i]) / (n - i) + (a[n] - a[j]) / (n - j)
                value -= (beta(i) + beta(j + 1)) / 2 + 1 / (i * j)
            else:
                value = (beta(j) - beta(j + 1)) / 2 - 1 / (i * j)
            sigma[i - 1, j - 1] = sigma[j - 1, i - 1] = value
    return 1 / np.arange(1, n), sigma


def kingman(n, rate=1.0):
    graph = coalescent.site_frequency(n)
    return graph.at([rate]), coalescent.spectrum_rewards(graph)


@pytest.mark.parametrize("n", [2, 5, 8, 12])
@pytest.mark.parametrize("theta", [0.01, 1.0, 30.0])
def test_numbers_of_mutations_are_those_of_fu(n, theta):
    means, sigma = fu(n)
    found = spectrum(*kingman(n), mutation_rate=theta / 2)
    np.testing.assert_allclose(found.means, theta * means, rtol=1e-10)
    expected = theta**2 * sigma + np.diag(theta * means)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-9, atol=1e-12 * theta**2)


def test_branch_lengths_are_twice_as_long():
    means, sigma = fu(7)
    found = spectrum(*kingman(7))
    np.testing.assert_allclose(found.means, 2 * means, rtol=1e-10)
    np.testing.assert_allclose(found.covariance, 4 * sigma, rtol=1e-9, atol=1e-12)


def test_bars_are_means_and_whiskers_deviations():
    n, theta = 9, 3.0
    means, sigma = fu(n)
    (axes,) = plot_spectrum(*kingman(n), mutation_rate=theta / 2).axes
    bars = [patch.get_height() for patch in axes.patches]
    np.testing.assert_allclose(bars, theta * means, rtol=1e-9)
    whiskers = max(axes.collections, key=lambda lines: len(lines.get_segments())).get_segments()
    half = [(segment[1, 1] - segment[0, 1]) / 2 for segment in whiskers]
    np.testing.assert_allclose(half, np.sqrt(theta**2 * np.diag(sigma) + theta * means), rtol=1e-8)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [str(i) for i in range(1, n)]
    assert axes.get_ylabel() == "number of mutations"
    assert "mutation rate 1.5" in axes.texts[0].get_text()


def test_the_heat_map_has_the_covariances_and_their_signs():
    n = 8
    _, sigma = fu(n)
    axes = plot_covariance(*kingman(n)).axes[0]
    shares = np.asarray(axes.images[0].get_array())
    np.testing.assert_allclose(shares * 4 * sigma.max(), 4 * sigma, rtol=1e-8, atol=1e-10)
    written = np.array(
        [float(text.get_text().replace("\N{MINUS SIGN}", "-")) for text in axes.texts]
    )
    np.testing.assert_allclose(written.reshape(n - 1, n - 1), 4 * sigma, rtol=0.05)
    image = axes.images[0]
    above, below = (image.cmap(image.norm(x)) for x in (0.1, -0.1))
    assert above[0] > above[2]  # orange has more red
    assert below[0] < below[2]


def test_epochs_of_one_theta_change_nothing():
    graph = coalescent.site_frequency(5)
    rewards = coalescent.spectrum_rewards(graph)
    found = spectrum(graph.at([1.0], epochs=[(0.3, [1.0])]), rewards)
    np.testing.assert_allclose(found.covariance, 4 * fu(5)[1], rtol=1e-6, atol=1e-8)


def drawn(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


@pytest.mark.parametrize("rate", [1e-150, 1.0, 1e150], ids=str)
def test_numbers_of_any_size_are_drawn_alike(rate):
    one, there = (np.asarray(plot_covariance(*kingman(6, r)).axes[0].images[0].get_array())
                  for r in (1.0, rate))  # fmt: skip
    np.testing.assert_allclose(there, one, rtol=1e-9)
    drawn(plot_spectrum(*kingman(6, rate)))


@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("rate", [1.0, 1e-120])
def test_labels_do_not_run_into_each_other(n, rate):
    for draw in (plot_spectrum, plot_covariance):
        figure = draw(*kingman(n, rate))
        renderer = drawn(figure)
        axes = figure.axes[0]
        boxes = [tick.get_window_extent(renderer) for tick in axes.get_xticklabels()]
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
        cells = [text.get_window_extent(renderer) for text in axes.texts if axes.images]
        rows = [cells[k : k + n - 1] for k in range(0, len(cells), n - 1)]
        for row in rows:
            assert all(left.x1 < right.x0 for left, right in itertools.pairwise(row))
        for text in figure.texts:
            box = text.get_window_extent(renderer)
            assert 0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_labels_are_the_users():
    graph = isolation.isolation_with_migration([2, 1])
    rewards = isolation.spectrum_rewards(graph, [2, 1])
    names = [f"({i}, {j})" for i in range(3) for j in range(2)]
    rows = rewards.reshape(6, -1)
    (axes,) = plot_spectrum(graph.at([1.0] * graph.n_parameters), rows, labels=names).axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == names
    with pytest.raises(ConfigError) as caught:
        plot_covariance(graph.at([1.0] * graph.n_parameters), rows, labels=names[1:])
    assert caught.value.code == "PLOT_LABELS"


def test_what_is_refused():
    x = Graph.from_matrices([1.0], [[-2.0]]).at()
    with pytest.raises(ConfigError) as too_many:
        spectrum(x, np.ones((401, 3)))
    assert too_many.value.code == "PLOT_TOO_MANY"
    for rate in (-1.0, np.inf, np.nan):
        with pytest.raises(NumericError) as caught:
            spectrum(x, [[0.0, 1.0, 0.0]], mutation_rate=rate)
        assert caught.value.code == "MUTATION_RATE"


def test_a_spectrum_of_nothing_is_drawn():
    x = Graph.from_matrices([1.0], [[-2.0]]).at()
    bars = plot_spectrum(x, np.zeros((2, 3)))
    drawn(bars)
    assert [bar.get_height() for bar in bars.axes[0].patches] == [0, 0]
    drawn(plot_covariance(x, np.zeros((2, 3))))


def test_the_same_picture_is_the_same_file(tmp_path):
    for name in ("a.svg", "b.svg"):
        save_figure(plot_covariance(*kingman(5)), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


# -- the command


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return ("plot", "phasic.models.coalescent:site_frequency", "--arg", "n=5", "--theta", "1")


@pytest.mark.parametrize("what", ["spectrum", "covariance"])
def test_the_command_draws_the_entries_of_the_state(model, what, tmp_path):
    outcome = phasic(*model, "--what", what, "--mutation-rate", "0.5", "-o", "a.svg")
    assert (outcome.code, outcome.out) == (ExitCode.DONE, "a.svg\n"), outcome.err
    graph = coalescent.site_frequency(5)
    draw = plot_spectrum if what == "spectrum" else plot_covariance
    figure = draw(graph.at([1.0]), coalescent.spectrum_rewards(graph), mutation_rate=0.5)
    save_figure(figure, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_command_draws_columns_of_rewards(model, tmp_path):
    graph = coalescent.site_frequency(5)
    folded = coalescent.spectrum_rewards(graph, folded=True)
    np.savetxt(tmp_path / "folded.csv", folded.T, delimiter=",")
    outcome = phasic(*model, "--what", "spectrum", "--rewards", "folded.csv", "-o", "a.svg")
    assert outcome.code == ExitCode.DONE, outcome.err
    save_figure(plot_spectrum(graph.at([1.0]), folded), tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_states_that_are_no_rewards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(
        "from phasic import Graph\ngraph = Graph.from_matrices([1.0], [[-2.0]])\n"
    )
    outcome = phasic("plot", "model.py", "--what", "spectrum", "--json")
    assert outcome.envelope["error"]["code"] == "REWARDS_MISSING"
    assert not list(tmp_path.glob("*.png"))
