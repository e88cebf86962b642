"""Other people's tools on our densities: blackjax, ArviZ, Matplotlib."""

from __future__ import annotations

import sys
import warnings

import jax
import numpy as np
import pytest

from inference_models import DATA, exponential
from phasic.errors import ConfigError, DependencyError
from phasic.inference import SVGD, Gamma, log_posterior
from phasic.inference.export import to_arviz
from phasic.models import coalescent
from phasic.plots import plot_pairs, plot_trace

PARTICLES = np.random.default_rng(0).gamma(2.0, 1.0, (50, 2))


def test_nuts_by_blackjax_as_the_recipe_has_it():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        blackjax = pytest.importorskip("blackjax")
    graph, key = coalescent.kingman(2), jax.random.key(0)
    target = log_posterior(graph, DATA, prior=[Gamma(3, 2)])
    warmup = blackjax.window_adaptation(blackjax.nuts, target)
    (state, parameters), _ = warmup.run(key, target.start(), num_steps=300)
    kernel = blackjax.nuts(target, **parameters)

    def step(state, key):
        state, _ = kernel.step(key, state)
        return state, state.position

    _, us = jax.lax.scan(step, state, jax.random.split(key, 2000))
    thetas = np.asarray(jax.vmap(target.constrain)(us))
    shape, rate = 3 + len(DATA), 2 + DATA.sum()
    assert abs(thetas.mean() - shape / rate) < 0.15 * np.sqrt(shape) / rate
    assert thetas.std() == pytest.approx(np.sqrt(shape) / rate, rel=0.15)


def test_arviz():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("arviz")
        data = to_arviz(PARTICLES)
    np.testing.assert_array_equal(data.posterior["theta"].values[0], PARTICLES)


def test_without_arviz_the_hint_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "arviz", None)
    with pytest.raises(DependencyError) as caught:
        to_arviz(PARTICLES)
    assert caught.value.code == "ARVIZ_MISSING"
    assert "phasic[inference]" in caught.value.hint


def test_pictures():
    posterior = SVGD(
        exponential, DATA, 1, prior=Gamma(3, 2), n_particles=20, n_iterations=20, progress=False
    ).fit()
    trace = posterior.plot_trace()
    assert [axes.get_xlabel() for axes in trace.axes] == ["step"]
    line = trace.axes[0].lines[0]
    np.testing.assert_array_equal(line.get_xdata(), posterior.trace_iterations)
    np.testing.assert_allclose(line.get_ydata()[-1], np.median(posterior.particles))
    assert len(posterior.plot_pairs().axes) == 1


def test_pairs_show_each_parameter_against_each_other():
    figure = plot_pairs(PARTICLES)
    assert len(figure.axes) == 3
    points = figure.axes[1].lines[0]
    np.testing.assert_array_equal(np.stack(points.get_data(), axis=1), PARTICLES)
    assert len(plot_trace(np.stack([PARTICLES] * 3), np.arange(3)).axes) == 2
    with pytest.raises(ConfigError) as caught:
        plot_pairs(np.ones((5, 9)))
    assert caught.value.code == "PLOT_TOO_MANY"
