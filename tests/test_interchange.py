"""Models written to files and read again: nothing is lost that a format can hold."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from engines import graph_of
from phasic import Graph, interchange
from phasic.errors import ConfigError, NumericError, PhasicError
from phasic.hash import compute_graph_hash
from phasic.interchange import read, read_rewards, write
from phasic.models import coalescent, epidemics, phase_types, structured, walks
from strategies import continuous_models, discrete_models

MODELS = {
    "kingman": (lambda: coalescent.kingman(5), [1.5]),
    "demes": (lambda: structured.migration([3, 2], symmetric=False), [1.0, 0.3, 0.7, 0.1]),
    "sir": (lambda: epidemics.sir(6), [2.0, 0.9]),
    "ruin": (lambda: walks.gamblers_ruin(2, 6), [0.3, 0.45]),
    "branches": (lambda: phase_types.hyperexponential(3), [0.5, 0.25, 0.25, 1.0, 3.0, 0.1]),
    "numbers": (lambda: Graph.from_matrices([0.5, 0.25], [[-2, 1], [0.1, -3]]), []),
    "steps": (lambda: Graph.from_matrices([1, 0], [[0.2, 0.3], [0, 0.9]], discrete=True), []),
}
SYMBOLIC = (".csv", ".json", ".msgpack", ".drn")
NUMERIC = (".csv", ".matrix.csv", ".json", ".msgpack", ".npz", ".mtx", ".drn", ".tra")
ONE_START = (".drn", ".tra")
SEVERAL_STARTS = ("branches", "numbers")


def content(graph):
    return compute_graph_hash(graph).hash_hex


def files(folder):
    """What was written; the cache of traces is not."""
    return [entry.name for entry in folder.iterdir() if entry.name != "cache"]


def moments(graph, theta):
    return graph.at(theta if graph.n_parameters else ()).moments(3)


def test_the_example_of_the_docstring():
    failed, tried = doctest.testmod(interchange)
    assert failed == 0
    assert tried > 0


def pairs(suffixes):
    """Models and formats, but for those of one start: another test says what is refused."""
    return [
        (name, suffix)
        for name in MODELS
        for suffix in suffixes
        if not (suffix in ONE_START and name in SEVERAL_STARTS)
    ]


@pytest.mark.parametrize(("name", "suffix"), pairs(SYMBOLIC))
def test_parameters_states_and_names_survive(name, suffix, tmp_path):
    make, theta = MODELS[name]
    graph, path = make(), tmp_path / f"model{suffix}"
    write(graph, path)
    found = read(path)
    # Staying is what the others leave, where a format says so and the graph had an edge for it.
    if (suffix, name) != (".drn", "steps"):
        assert content(found) == content(graph)
    assert found.parameter_names == graph.parameter_names
    assert found.state_names == graph.state_names
    np.testing.assert_allclose(moments(found, theta), moments(graph, theta), rtol=1e-14)


@pytest.mark.parametrize(("name", "suffix"), pairs(NUMERIC))
def test_numbers_at_theta_survive(name, suffix, tmp_path):
    make, theta = MODELS[name]
    graph, path = make(), tmp_path / f"model{suffix}"
    write(graph, path, theta=theta)
    found = read(path, discrete=graph.discrete)
    assert (found.n_parameters, found.discrete) == (0, graph.discrete)
    np.testing.assert_allclose(moments(found, ()), moments(graph, theta), rtol=1e-13)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".msgpack", ".npz", ".drn", ".tra"])
def test_states_survive(suffix, tmp_path):
    graph = epidemics.sir(4)
    write(graph, tmp_path / f"model{suffix}", theta=[2.0, 1.0])
    found = read(tmp_path / f"model{suffix}").states().tolist()
    # Matrices have one row for all that is absorbing.
    expected = [s for s in graph.states().tolist() if suffix != ".npz" or s[1] > 0]
    assert all(state in found for state in expected)


def joined(graph):
    """Whether every vertex has an edge: lists of edges alone do not know of others."""
    source, target, _, _ = graph.edges()
    return np.union1d(source, target).size == graph.n_vertices


def starts_in_one(graph):
    return (graph.edges().source == 0).sum() == 1


def all_are_left(graph, theta):
    """Whether no vertex has all its weights 0 at theta (one that cannot be reached there may)."""
    source = graph.edges().source
    total = np.bincount(source, graph.frozen.weights(np.array(theta)))
    return (total[np.unique(source)] > 0).all()


# A random model may start where it ends.
MAY_START_ABSORBED = pytest.mark.filterwarnings("ignore:every start edge")
ROUNDS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".msgpack"])
@MAY_START_ABSORBED
@ROUNDS
@given(model=continuous_models())
def test_edge_lists_of_random_models(model, suffix, tmp_path):
    graph = graph_of(model)
    assume(suffix != ".csv" or joined(graph))
    write(graph, tmp_path / f"model{suffix}")
    assert content(read(tmp_path / f"model{suffix}")) == content(graph)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".msgpack"])
@MAY_START_ABSORBED
@ROUNDS
@given(model=discrete_models())
def test_edge_lists_of_random_discrete_models(model, suffix, tmp_path):
    graph = graph_of(model)
    assume(suffix != ".csv" or joined(graph))
    write(graph, tmp_path / f"model{suffix}")
    found = read(tmp_path / f"model{suffix}")
    assert found.discrete
    assert content(found) == content(graph)


@pytest.mark.parametrize("suffix", [".drn", ".tra"])
@MAY_START_ABSORBED
@ROUNDS
@given(model=continuous_models())
def test_explicit_formats_of_random_models(model, suffix, tmp_path):
    graph, path = graph_of(model), tmp_path / f"model{suffix}"
    theta = [float(x) for x in model.theta]
    assume(suffix == ".drn" or starts_in_one(graph))
    assume(all_are_left(graph, theta))
    write(graph, path, theta=theta)
    found = read(path, discrete=False).at()
    np.testing.assert_allclose(found.moments(2), graph.at(theta).moments(2), rtol=1e-12)


@MAY_START_ABSORBED
@ROUNDS
@given(model=continuous_models())
def test_parameters_in_drn_of_random_models(model, tmp_path):
    graph, path = graph_of(model), tmp_path / "model.drn"
    theta = [float(x) for x in model.theta]
    assume(starts_in_one(graph))
    write(graph, path)
    found = read(path)
    # One starting vertex has the probability 1 however its weight is written.
    np.testing.assert_allclose(found.at(theta).moments(2), graph.at(theta).moments(2), rtol=1e-14)


@MAY_START_ABSORBED
@ROUNDS
@given(model=discrete_models())
def test_explicit_formats_of_random_discrete_models(model, tmp_path):
    graph = graph_of(model)
    assume(starts_in_one(graph))
    theta = [float(x) for x in model.theta]
    for suffix in (".drn", ".tra"):
        write(graph, tmp_path / f"model{suffix}", theta=theta)
        found = read(tmp_path / f"model{suffix}", discrete=True).at()
        # What leaves is written and read to the last digit, and staying is the rest.
        np.testing.assert_allclose(found.moments(2), graph.at(theta).moments(2), rtol=1e-12)


# -- rewards and labels


@pytest.mark.parametrize("suffix", [".drn", ".tra"])
def test_rewards_survive(suffix, tmp_path):
    graph = epidemics.sir(5)
    path, rng = tmp_path / f"model{suffix}", np.random.default_rng(7)
    rewards = {"ill": graph.states()[:, 1].astype(float), "any": rng.random(graph.n_vertices)}
    rewards["any"][0] = 0.0  # that of the start, which takes no time
    write(graph, path, theta=[2.0, 1.0], rewards=rewards)
    found = read_rewards(path)
    assert found.keys() == rewards.keys()
    order = read(path).states()
    np.testing.assert_array_equal(order, graph.states())
    for name, values in rewards.items():
        np.testing.assert_array_equal(found[name], values)


def test_rewards_of_a_markov_automaton_leave_its_start_out(tmp_path):
    graph = phase_types.hyperexponential(2)
    theta = [0.5, 0.5, 1.0, 4.0]
    rewards = {"r": np.array([0.0, 0.0, 2.0, 3.0])}
    write(graph, tmp_path / "model.drn", theta=theta, rewards=rewards)
    (found,) = read_rewards(tmp_path / "model.drn").values()
    np.testing.assert_array_equal(found, rewards["r"])
    assert read(tmp_path / "model.drn").at().mean(found) == pytest.approx(0.5 * 2 + 0.5 * 3 / 4)


@pytest.mark.parametrize("suffix", [".drn", ".tra"])
def test_a_label_may_be_the_target(suffix, tmp_path):
    """Until nobody is ill is what `absorbed` says as well."""
    graph = epidemics.sir(5)
    write(graph, tmp_path / f"model{suffix}", theta=[2.0, 1.0])
    found = read(tmp_path / f"model{suffix}", target="absorbed")
    assert found.at().mean() == graph.at([2.0, 1.0]).mean()


# -- what formats cannot hold


def refusal(kind, make):
    with pytest.raises(kind) as raised:
        make()
    assert isinstance(raised.value, PhasicError)
    assert raised.value.hint
    return raised.value


@pytest.mark.parametrize("suffix", [".matrix.csv", ".npz", ".mtx", ".tra"])
def test_formats_of_numbers_refuse_parameters(suffix, tmp_path):
    graph = coalescent.kingman(3)
    error = refusal(ConfigError, lambda: write(graph, tmp_path / f"m{suffix}"))
    assert error.code == "FILE_PARAMETERS"
    assert "coalescence" in error.message
    assert files(tmp_path) == []


def test_several_starting_vertices(tmp_path):
    graph = phase_types.hyperexponential(2)
    theta = [0.5, 0.5, 1.0, 4.0]
    assert refusal(ConfigError, lambda: write(graph, tmp_path / "m.drn")).code == "FILE_START"
    error = refusal(ConfigError, lambda: write(graph, tmp_path / "m.tra", theta=theta))
    assert error.code == "FILE_START"
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("m.pdf", {}, "FILE_SUFFIX"),
        ("m", {}, "FILE_SUFFIX"),
        ("m.csv", {"rewards": {"r": [1]}}, "FILE_OPTION"),
        ("m.drn", {"rewards": {"r": [1]}}, "FILE_REWARDS"),
        ("m.drn", {"rewards": {"a b": [0, 1, 1, 1]}}, "FILE_REWARDS"),
    ],
)
def test_what_cannot_be_written(name, options, code, tmp_path):
    graph = coalescent.kingman(3)
    error = refusal(ConfigError, lambda: write(graph, tmp_path / name, **options))
    assert error.code == code


def test_what_cannot_be_read(tmp_path):
    write(coalescent.kingman(3), tmp_path / "m.csv")
    for name, options, code in (
        ("m.dot", {}, "FILE_SUFFIX"),
        ("none.csv", {}, "FILE_NOT_FOUND"),
        ("m.csv", {"target": "done"}, "FILE_OPTION"),
        ("m.csv", {"discrete": True}, None),
    ):
        if code is None:  # a CSV of continuous time says nothing: it may be asked for as discrete
            assert read(tmp_path / name, **options).discrete
            continue
        kind = PhasicError
        assert refusal(kind, lambda n=name, o=options: read(tmp_path / n, **o)).code == code


def test_a_file_that_says_what_it_is_is_believed(tmp_path):
    write(walks.gamblers_ruin(1, 3), tmp_path / "m.json")
    error = refusal(PhasicError, lambda: read(tmp_path / "m.json", discrete=False))
    assert error.code == "FILE_KIND"


def test_weights_that_are_none_at_theta(tmp_path):
    graph = epidemics.sir(3)
    error = refusal(NumericError, lambda: write(graph, tmp_path / "m.csv", theta=[-1.0, 1.0]))
    assert error.code == "WEIGHT_NEGATIVE"
    error = refusal(NumericError, lambda: write(graph, tmp_path / "m.drn", theta=[0.0, 0.0]))
    assert error.code == "ABSORPTION_UNREACHABLE"
    assert files(tmp_path) == []


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "m.drn"
    path.write_text("before")
    refusal(NumericError, lambda: write(epidemics.sir(3), path, theta=[0.0, 0.0]))
    assert path.read_text() == "before"
    write(epidemics.sir(3), path, theta=[1.0, 1.0])
    assert files(tmp_path) == ["m.drn"]
    other = tmp_path / "plain"
    other.write_text("")
    assert path.stat().st_mode == other.stat().st_mode


def test_rewards_of_an_earlier_model_are_not_taken_over(tmp_path):
    graph = coalescent.kingman(3)
    write(graph, tmp_path / "m.tra", theta=[1.0], rewards={"a": [0, 1, 1, 1]})
    write(graph, tmp_path / "m.tra", theta=[2.0], rewards={"a": [0, 1, 1, 2]})
    error = refusal(ConfigError, lambda: write(graph, tmp_path / "m.tra", theta=[1.0]))
    assert error.code == "FILE_REWARDS"
    assert "m.a.srew" in error.message


# -- pictures


def test_dot(tmp_path):
    write(epidemics.sir(2), tmp_path / "m.dot")
    text = (tmp_path / "m.dot").read_text()
    assert text.startswith("digraph phasic {")
    assert text.rstrip().endswith("}")
    assert '  v0 [label="start", shape=point];' in text
    assert 'label="1, 1"' in text
    assert "doublecircle" in text
    assert '[label="0.5 infection"]' in text
    assert '[label="recovery"]' in text
    write(epidemics.sir(2), tmp_path / "m.dot", theta=[3.0, 1.0])
    assert '[label="1.5"]' in (tmp_path / "m.dot").read_text()
