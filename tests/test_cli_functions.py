"""`phasic evaluate` asked for functions: the shape of answers, their numbers, what is refused.

Numbers are checked against closed forms: Kingman's coalescent of 2 lineages is exponential, a chain
of equal rates is Erlang's, and failures at each step are geometric.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from cli_runner import phasic
from phasic.cli.exit_codes import ExitCode
from phasic.cli.functions import FUNCTIONS, Takes
from phasic.distribution import Distribution

PAIR = ("phasic.models.coalescent:kingman", "--arg", "n=2")
KINGMAN = ("phasic.models.coalescent:kingman", "--arg", "n=5")
RATE = 2.0

COMPETING = """
from phasic import Graph


def competing() -> Graph:
    graph = Graph(state_length=1)
    here, left, right = (graph.find_or_create_vertex([k]) for k in (3, 1, 2))
    graph.starting_vertex().add_edge(here, 1.0)
    here.add_edge(left, [1.0, 0.0])
    here.add_edge(right, [0.0, 1.0])
    return graph


def geometric() -> Graph:
    graph = Graph(state_length=1, discrete=True)
    on, off = (graph.find_or_create_vertex([k]) for k in (1, 0))
    graph.starting_vertex().add_edge(on, 1.0)
    on.add_edge(off, [1.0])
    return graph


def defective() -> Graph:
    return Graph.from_matrices([0.75], [[-1.0]])


def two_stages() -> Graph:
    return Graph.from_matrices([1.0, 0.0], [[-1.0, 1.0], [0.0, -2.0]])
"""


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(COMPETING)


def record_of(*arguments: str) -> dict:
    outcome = phasic("evaluate", *arguments)
    assert outcome.code == ExitCode.DONE, outcome.err
    (record,) = outcome.records
    return record


# -- the table


def test_every_function_is_a_method_of_a_distribution():
    missing = [f.option for f in FUNCTIONS if not hasattr(Distribution, f.method)]
    assert missing == []


def test_names_are_unique_and_rewards_are_said():
    assert len({f.name for f in FUNCTIONS}) == len(FUNCTIONS)
    assert all(f.rewards in ("", "one", "many") for f in FUNCTIONS)
    assert not any(f.density and f.by_vertex for f in FUNCTIONS)


# -- shapes


def test_a_density_has_all_that_is_known_of_it():
    record = record_of(*PAIR, "--theta", "2", "--pdf", "0.5,1", "--grad")
    assert list(record) == ["row", "theta", "pdf"]
    pdf = record["pdf"]
    assert list(pdf) == ["t", "value", "bound", "method", "kind", "gradient"]
    assert pdf["t"] == [0.5, 1.0]
    expected = [RATE * math.exp(-RATE * t) for t in pdf["t"]]
    np.testing.assert_allclose(pdf["value"], expected, rtol=1e-13)
    assert all(0 < bound < 1e-10 for bound in pdf["bound"])
    assert all(kind in ("certified", "verified") for kind in pdf["kind"])
    assert all(method in ("uniformise", "contour", "dense") for method in pdf["method"])
    slope = [[(1 - RATE * t) * math.exp(-RATE * t)] for t in pdf["t"]]
    np.testing.assert_allclose(pdf["gradient"], slope, rtol=1e-12)


def test_without_grad_there_is_no_gradient():
    pdf = record_of(*PAIR, "--theta", "2", "--pdf", "1")["pdf"]
    assert list(pdf) == ["t", "value", "bound", "method", "kind"]


def test_gradients_of_occupation_have_a_row_for_each_time_and_vertex():
    times = ["--state-probability", "0.5,1", "--stop-probability", "1", "--accumulated", "1"]
    record = record_of(*PAIR, "--theta", "2", *times, "--grad")
    left = [math.exp(-RATE * t) for t in (0.5, 1.0)]
    where = record["state_probability"]
    assert list(where) == ["t", "vertex", "value", "gradient"]
    np.testing.assert_allclose(np.array(where["value"])[:, 2], left, rtol=1e-13)
    slope = np.array(where["gradient"])
    assert slope.shape == (2, 3, 1)
    np.testing.assert_allclose(slope[:, 2, 0], [-0.5 * left[0], -left[1]], rtol=1e-12)
    assert record["stop_probability"]["gradient"] == where["gradient"][1:]
    spent = (left[1] * (1 + RATE) - 1) / RATE**2
    assert record["accumulated"]["gradient"][0][2] == [pytest.approx(spent, rel=1e-12)]


def test_a_number_alone_has_its_gradient_beside_it():
    asked = ["--defect", "--skewness", "--kurtosis", "--central-moments", "3"]
    record = record_of(*PAIR, "--theta", "2", *asked, "--grad")
    for name, value in (("defect", 0.0), ("skewness", 2.0), ("kurtosis", 6.0)):
        assert list(record[name]) == ["value", "gradient"]
        assert record[name]["value"] == pytest.approx(value, rel=1e-12)
        assert record[name]["gradient"] == [pytest.approx(0.0, abs=1e-12)]
    central = record["central_moments"]
    assert list(central) == ["order", "value", "gradient"]
    expected = [[0.0], [-2 / RATE**3], [-6 / RATE**4]]
    np.testing.assert_allclose(central["gradient"], expected, rtol=1e-12)
    steps = record_of("model.py:geometric", "--theta", "0.25", "--factorial-moments", "2", "--grad")
    # 1 / p and 2 (1 - p) / p²
    found = steps["factorial_moments"]["gradient"]
    np.testing.assert_allclose(found, [[-16], [-2 / 0.0625 - 4 * 0.75 / 0.015625]], rtol=1e-12)


def test_gradients_under_epochs_have_a_row_for_each_epoch():
    epochs = ["--epoch", "0.5:1", "--epoch", "1:4", "--grad"]
    asked = ["--logsf", "0.75,2", "--state-probability", "0.75", "--moments", "1", "--variance"]
    record = record_of(*PAIR, "--theta", "2", *epochs, *asked)
    assert list(record) == [
        *("row", "theta", "moments", "gradient", "variance"),
        *("logsf", "state_probability"),
    ]
    slope = record["logsf"]["gradient"]
    expected = [[[-0.5], [-0.25], [0.0]], [[-0.5], [-0.5], [-1.0]]]
    np.testing.assert_allclose(slope, expected, rtol=1e-12, atol=1e-15)
    where = record["state_probability"]
    assert np.array(where["gradient"]).shape == (1, 3, 3, 1)
    np.testing.assert_allclose(
        np.array(where["gradient"])[0, 2, :, 0],
        math.exp(-1.25) * np.array([-0.5, -0.25, 0.0]),
        rtol=1e-12,
    )
    # the mean is (1 - a) / 2 + a (1 - b) + a b / 4, a = exp(-1), b = exp(-1/2)
    a, b = math.exp(-1.0), math.exp(-0.5)
    assert record["moments"][0] == pytest.approx((1 - a) / 2 + a * (1 - b) + a * b / 4, rel=1e-12)
    by_first = a / 4 - (1 - a) / 4 - a / 2 * (1 - b) - a * b / 8
    by_second = a * (b / 2 - (1 - b)) - a * b / 8
    np.testing.assert_allclose(
        record["gradient"], [[[by_first], [by_second], [-a * b / 16]]], rtol=1e-11
    )


def test_a_terminal_shows_gradients_in_columns():
    arguments = ["--state-probability", "1", "--skewness", "--grad"]
    outcome = phasic("evaluate", *PAIR, "--theta", "2", *arguments, terminal=True)
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["t", "vertex", "value", "gradient[0]"] in lines
    assert any(line[:1] == ["skewness.gradient[0]"] for line in lines if line)


def test_functions_stand_in_the_order_of_the_table_after_moments():
    record = record_of(
        *PAIR, "--theta", "2", "--sf", "1", "--defect", "--pdf", "1", "--moments", "1", "--variance"
    )
    assert list(record) == ["row", "theta", "moments", "variance", "pdf", "sf", "defect"]


def test_moments_are_left_out_where_a_function_is_asked_for():
    assert "moments" not in record_of(*PAIR, "--theta", "2", "--cdf", "1")
    assert len(record_of(*PAIR, "--theta", "2", "--cdf", "1", "--moments", "3")["moments"]) == 3
    assert "moments" in record_of(*PAIR, "--theta", "2", "--variance")


def test_one_row_for_each_theta(tmp_path):
    (tmp_path / "t.csv").write_text("1\n2\n4\n")
    outcome = phasic("evaluate", *PAIR, "--thetas", "t.csv", "--sf", "1")
    values = [record["sf"]["value"][0] for record in outcome.records]
    np.testing.assert_allclose(values, [math.exp(-rate) for rate in (1, 2, 4)], rtol=1e-13)
    assert [record["row"] for record in outcome.records] == [0, 1, 2]


def test_json_is_one_envelope():
    envelope = phasic("evaluate", *PAIR, "--theta", "2", "--cdf", "1", "--json").envelope
    assert envelope["ok"] is True
    assert envelope["data"][0]["cdf"]["value"] == [pytest.approx(1 - math.exp(-2), rel=1e-13)]


def test_a_terminal_gets_a_table_for_each_function():
    outcome = phasic(
        "evaluate", *PAIR, "--theta", "2", "--pdf", "1,2", "--state-probability", "1", terminal=True
    )
    lines = outcome.out.splitlines()
    at = lines.index("pdf")
    assert lines[at + 1].split() == ["t", "value", "bound", "method", "kind"]
    assert lines[at + 3].split()[0] == "1.0"
    at = lines.index("state_probability")
    assert lines[at + 1].split() == ["t", "vertex", "value"]
    assert [line.split()[1] for line in lines[at + 3 : at + 6]] == ["0", "1", "2"]


def test_what_json_has_no_number_for_is_a_string():
    record = record_of(*PAIR, "--theta", "2", "--logpdf=-1,1", "--quantile", "0,1")
    assert record["logpdf"]["value"] == ["-inf", pytest.approx(math.log(2) - 2, rel=1e-13)]
    assert record["quantile"]["value"] == [0.0, "inf"]


# -- numbers


def test_functions_of_an_exponential():
    record = record_of(
        *PAIR, "--theta", "2", "--cdf", "0.3", "--sf", "400", "--logpdf", "500", "--logcdf", "30",
        "--logsf", "500", "--hazard", "7", "--quantile", "0.5", "--laplace", "0,1",
        "--skewness", "--kurtosis", "--defect", "--central-moments", "4",
    )  # fmt: skip
    values = {name: entry["value"] for name, entry in record.items() if isinstance(entry, dict)}
    assert values["cdf"] == [pytest.approx(-math.expm1(-0.6), rel=1e-13)]
    assert values["sf"] == [pytest.approx(math.exp(-800), rel=1e-11)] or values["sf"] == [0.0]
    assert values["logpdf"] == [pytest.approx(math.log(2) - 1000, rel=1e-13)]
    assert values["logcdf"] == [pytest.approx(-math.exp(-60), rel=1e-11)]
    assert values["logsf"] == [pytest.approx(-1000, rel=1e-13)]
    assert values["hazard"] == [pytest.approx(2, rel=1e-13)]
    assert values["quantile"] == [pytest.approx(math.log(2) / 2, rel=1e-12)]
    assert values["laplace"] == [1.0, pytest.approx(2 / 3, rel=1e-14)]
    assert record["skewness"] == pytest.approx(2, rel=1e-12)
    assert record["kurtosis"] == pytest.approx(6, rel=1e-12)
    assert record["defect"] == 0.0
    assert record["central_moments"]["order"] == [1, 2, 3, 4]
    np.testing.assert_allclose(values["central_moments"], [0, 1 / 4, 2 / 8, 9 / 16], rtol=1e-12)


def test_functions_of_a_geometric():
    record = record_of(
        "model.py:geometric", "--theta", "0.25", "--pmf", "0,1,3", "--cdf", "2.5", "--quantile",
        "0.5", "--pgf", "0.5", "--hazard", "4", "--factorial-moments", "2",
    )  # fmt: skip
    assert record["pmf"]["k"] == [0.0, 1.0, 3.0]
    np.testing.assert_allclose(record["pmf"]["value"], [0, 0.25, 0.25 * 0.75**2], rtol=1e-13)
    assert record["cdf"]["value"] == [pytest.approx(1 - 0.75**2, rel=1e-13)]
    assert record["quantile"]["value"] == [3.0]
    assert record["pgf"]["z"] == [0.5]
    assert record["pgf"]["value"] == [pytest.approx(0.125 / (1 - 0.375), rel=1e-13)]
    assert record["hazard"]["value"] == [pytest.approx(0.25, rel=1e-13)]
    # E[T (T - 1)] = 2 (1 - p) / p².
    np.testing.assert_allclose(record["factorial_moments"]["value"], [4, 24], rtol=1e-13)


def test_ends_that_compete():
    source = ("model.py:competing", "--theta", "1,3")
    states = {
        json.loads(line.split("\t")[2])[0]: int(line.split("\t")[0])
        for line in phasic("inspect", "model.py:competing", "--states").out.splitlines()
    }
    left, right = states[1], states[2]
    record = record_of(
        *source, "--absorption", "--grad", "--cdf", "0.5", "--sub-cdf", f"{right},{left}"
    )
    absorption = record["absorption"]
    assert absorption["vertex"] == sorted([left, right])
    by_vertex = dict(zip(absorption["vertex"], absorption["value"], strict=True))
    assert by_vertex == {left: pytest.approx(0.25), right: pytest.approx(0.75)}
    slopes = dict(zip(absorption["vertex"], absorption["gradient"], strict=True))
    np.testing.assert_allclose(slopes[left], [3 / 16, -1 / 16], rtol=1e-13)
    first, second = record["sub_cdf"]
    assert (first["vertex"], second["vertex"]) == (right, left)
    assert first["value"] == [pytest.approx(0.75 * -math.expm1(-2), rel=1e-13)]
    assert second["value"] == [pytest.approx(0.25 * -math.expm1(-2), rel=1e-13)]
    occupied = record_of(*source, "--state-probability", "0.5", "--accumulated", "0.5")
    here = states[3]
    probability = occupied["state_probability"]
    assert probability["vertex"] == [0, 1, 2, 3]
    assert probability["value"][0][here] == pytest.approx(math.exp(-2), rel=1e-13)
    assert probability["value"][0][right] == pytest.approx(0.75 * -math.expm1(-2), rel=1e-13)
    spent = occupied["accumulated"]["value"][0][here]
    assert spent == pytest.approx(-math.expm1(-2) / 4, rel=1e-13)


def test_the_atom_at_zero():
    record = record_of("model.py:defective", "--defect", "--cdf", "0", "--quantile", "0.2")
    assert record["defect"] == pytest.approx(0.25, rel=1e-14)
    assert record["cdf"]["value"] == [pytest.approx(0.25, rel=1e-14)]
    assert record["quantile"]["value"] == [0.0]


def test_epochs():
    record = record_of(
        *PAIR, "--theta", "2", "--epoch", "0.5:1", "--sf", "0.25,1.5", "--moments", "1"
    )
    np.testing.assert_allclose(record["sf"]["value"], [math.exp(-0.5), math.exp(-2)], rtol=1e-12)
    mean = -math.expm1(-1) / 2 + math.exp(-1)
    assert record["moments"] == [pytest.approx(mean, rel=1e-12)]


def test_likelihood_of_a_file(tmp_path):
    (tmp_path / "plain").write_text("time\n1\n1\n3\n")
    (tmp_path / "counted.csv").write_text("time,count\n1,2\n3,1\n")
    expected = 3 * math.log(2) - 2 * 5
    for name in ("plain", "counted.csv"):
        found = record_of(*PAIR, "--theta", "2", "--loglik", name, "--grad")["loglik"]
        assert list(found) == ["value", "gradient"]
        assert found["value"] == pytest.approx(expected, rel=1e-13)
        assert found["gradient"] == [pytest.approx(3 / 2 - 5, rel=1e-12)]


@pytest.mark.parametrize("text", ["", "time\n", "# nothing\n\n", "time,weight\n", "1,0\n2,0\n"])
@pytest.mark.parametrize("censored", [False, True])
def test_a_likelihood_of_no_observations_is_an_error(text, censored, tmp_path):
    """The empty sum, 0, would pass for an answer."""
    (tmp_path / "none.csv").write_text(text)
    (tmp_path / "empty").write_text("")
    more = ("--right-censored", "empty") if censored else ()
    outcome = phasic("evaluate", *PAIR, "--theta", "2", "--loglik", "none.csv", *more)
    assert (outcome.code, outcome.out) == (ExitCode.NO, "")
    assert outcome.err.startswith("error[DATA_EMPTY]: no observations found in the file of --logl")
    np.save(tmp_path / "none.npy", np.zeros(0))
    outcome = phasic("evaluate", *PAIR, "--theta", "2", "--loglik", "none.npy", *more)
    assert (outcome.code, outcome.out) == (ExitCode.NO, "")


def test_likelihood_of_what_is_known_in_part(tmp_path):
    (tmp_path / "none").write_text("")
    (tmp_path / "late").write_text("2\n")
    (tmp_path / "between").write_text("1 2\n")
    found = record_of(
        *PAIR, "--theta", "2", "--loglik", "none", "--right-censored", "late", "--intervals",
        "between",
    )  # fmt: skip
    expected = -4 + math.log(math.exp(-2) - math.exp(-4))
    assert found["loglik"]["value"] == pytest.approx(expected, rel=1e-12)


def test_one_reward_is_collected_in_place_of_time(tmp_path):
    lines = ["0", "2", "2"]
    (tmp_path / "r").write_text("\n".join(lines))
    record = record_of(*PAIR, "--theta", "2", "--rewards", "r", "--sf", "1", "--moments", "1")
    assert record["sf"]["value"] == [pytest.approx(math.exp(-1), rel=1e-13)]
    assert record["moments"] == [pytest.approx(1, rel=1e-14)]


@pytest.fixture
def stages(tmp_path):
    """Two exponential stages, of rates 1 and 2, and a file with one column for each."""
    n = len(phasic("inspect", "model.py:two_stages", "--states").out.splitlines())
    mean = record_of("model.py:two_stages", "--accumulated", "200")["accumulated"]["value"][0]
    columns = np.zeros((n, 2))
    columns[int(np.argmin(np.abs(np.array(mean) - 1.0))), 0] = 1
    columns[int(np.argmin(np.abs(np.array(mean) - 0.5))), 1] = 1
    np.savetxt(tmp_path / "r.csv", columns, delimiter=",")
    return ("model.py:two_stages", "--rewards", "r.csv")


def test_several_rewards_give_their_marginals(stages):
    record = record_of(*stages, "--sf", "1", "--moments", "2", "--variance", "--skewness")
    np.testing.assert_allclose(record["moments"], [[1, 2], [0.5, 0.5]], rtol=1e-13)
    np.testing.assert_allclose(record["variance"], [1, 0.25], rtol=1e-13)
    values = [entry["value"][0] for entry in record["sf"]]
    np.testing.assert_allclose(values, [math.exp(-1), math.exp(-2)], rtol=1e-13)
    np.testing.assert_allclose(record["skewness"], [2, 2], rtol=1e-12)


def test_several_rewards_together(stages):
    record = record_of(
        *stages, "--covariance", "--correlation", "--joint-moment", "1,1", "--joint-moment", "2,1",
        "--joint-laplace", "1,2",
    )  # fmt: skip
    np.testing.assert_allclose(record["covariance"]["value"], [[1, 0], [0, 0.25]], atol=1e-15)
    np.testing.assert_allclose(record["correlation"]["value"], np.eye(2), atol=1e-14)
    assert record["joint_moment"]["powers"] == [[1, 1], [2, 1]]
    np.testing.assert_allclose(record["joint_moment"]["value"], [0.5, 1.0], rtol=1e-12)
    assert record["joint_laplace"]["value"] == [pytest.approx(1 / 2 * 2 / 4, rel=1e-13)]


def test_methods_are_the_users():
    for method in ("uniformise", "dense"):
        pdf = record_of(*KINGMAN, "--theta", "1", "--pdf", "1", "--method", method)["pdf"]
        assert pdf["method"] == [method]


# -- lists


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("1", [1.0]),
        ("2,1,2", [2.0, 1.0, 2.0]),
        ("0:1:3", [0.0, 0.5, 1.0]),
        ("5,0:1:3", [5.0, 0.0, 0.5, 1.0]),
        (" 1 , 2 ", [1.0, 2.0]),
        ("@list", [3.0, 1.0, 2.0]),
        ("@empty", []),
        ("@list.npy", [0.5, 0.25]),
    ],
)
def test_lists_keep_their_order(text, times, tmp_path):
    (tmp_path / "list").write_text("# times\n3\n1 2\n".replace("1 2", "1\n2"))
    (tmp_path / "empty").write_text("")
    np.save(tmp_path / "list.npy", [0.5, 0.25])
    sf = record_of(*PAIR, "--theta", "2", f"--sf={text}")["sf"]
    assert sf["t"] == times
    np.testing.assert_allclose(sf["value"], np.exp(-2 * np.array(times)), rtol=1e-12)
    assert len(sf["bound"]) == len(sf["method"]) == len(sf["kind"]) == len(times)


@pytest.mark.parametrize(
    "text",
    ["", ",", "x", "1,x", "0:1", "0:1:0", "0:1:2.5", "0:inf:3", "nan:1:2", "1;2", "0:1:1e30"],
)
def test_what_is_no_list_is_wrong_usage(text):
    outcome = phasic("evaluate", *PAIR, "--theta", "2", f"--pdf={text}", "--json")
    assert outcome.code == ExitCode.USAGE
    assert outcome.envelope["error"]["code"] == "USAGE"
    assert "--pdf" in outcome.envelope["error"]["message"]
    assert "START:STOP:COUNT" in outcome.envelope["error"]["hint"]


# -- what is refused


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((*PAIR, "--theta", "2", "--pdf", "nan"), "TIME_NAN"),
        ((*PAIR, "--theta", "2", "--quantile", "1.5"), "NOT_A_PROBABILITY"),
        ((*PAIR, "--theta", "2", "--quantile", "nan"), "NOT_A_PROBABILITY"),
        ((*PAIR, "--theta", "2", "--pmf", "1"), "NOT_DISCRETE"),
        ((*PAIR, "--theta", "2", "--state-probability", "-1"), "TIME_INVALID"),
        ((*PAIR, "--theta", "2", "--cdf", "1", "--sub-cdf", "2"), "NOT_ABSORBING"),
        ((*PAIR, "--theta", "2", "--pdf", "1", "--tolerance", "0"), "TOLERANCE"),
        ((*PAIR, "--theta", "2", "--pdf", "1", "--tolerance", "1e-30"), "DENSITY_REFUSED"),
        ((*PAIR, "--theta", "2", "--pdf", "1", "--epoch", "2:1", "--epoch", "1:1"), "EPOCHS"),
        ((*PAIR, "--theta", "2", "--pdf", "1", "--epoch", "2:1,1"), "THETA_LENGTH"),
        ((*PAIR, "--theta", "2", "--pdf", "@none"), "FILE_NOT_FOUND"),
        ((*PAIR, "--theta", "2", "--pdf", "@words"), "NUMBER_FORMAT"),
        ((*PAIR, "--theta", "2", "--pdf", "@ragged"), "NUMBER_FORMAT"),
        ((*PAIR, "--theta", "2", "--pdf", "@bytes"), "NUMBER_FORMAT"),
        ((*PAIR, "--theta", "2", "--pdf", "@bad.npy"), "NUMBER_FORMAT"),
        ((*PAIR, "--theta", "2", "--loglik", "three"), "DATA_FORMAT"),
        ((*PAIR, "--theta", "2", "--loglik", "empty", "--intervals", "empty1"), "DATA_FORMAT"),
        ((*PAIR, "--theta", "2", "--loglik", "negative"), "WEIGHTS_INVALID"),
        ((*PAIR, "--theta", "-2", "--pdf", "1"), "WEIGHT_NEGATIVE"),
        (("model.py:geometric", "--theta", "0.25", "--pdf", "1"), "NOT_CONTINUOUS"),
        (("model.py:geometric", "--theta", "0.25", "--logpdf", "1"), "NOT_CONTINUOUS"),
    ],
    ids=lambda value: " ".join(value[-3:]) if isinstance(value, tuple) else value,
)
def test_bad_questions_exit_1_with_a_code_and_a_hint(arguments, code, tmp_path):
    (tmp_path / "words").write_text("1\ntwo\n")
    (tmp_path / "ragged").write_text("1\n1 2\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe1\n")
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY\x01")
    (tmp_path / "three").write_text("1 2 3\n")
    (tmp_path / "empty").write_text("")
    (tmp_path / "empty1").write_text("1\n")
    (tmp_path / "negative").write_text("1,-1\n")
    outcome = phasic("evaluate", *arguments, "--json")
    error = outcome.envelope["error"]
    assert (error["code"], outcome.code) == (code, ExitCode.NO)
    assert error["hint"]
    assert outcome.envelope["data"] in (None, [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sub-cdf", "1"], "--cdf"),
        (["--covariance"], "--rewards"),
        (["--joint-moment", "1,1"], "--rewards"),
        (["--method", "dense"], "--method"),
        (["--tolerance", "1e-8"], "--tolerance"),
        (["--state-probability", "1", "--method", "dense"], "--method"),
        (["--pdf", "1", "--method", "guess"], "guess"),
        (["--defect", "--epoch", "1:1"], "--epoch"),
        (["--pdf", "1", "--epoch", "1"], "T:THETA"),
        (["--pdf", "1", "--epoch", "x:1"], "T:THETA"),
        (["--cdf", "1", "--sub-cdf", "1.5"], "whole"),
        (["--cdf", "1", "--sub-cdf", "nan"], "whole"),
        (["--central-moments", "0"], "whole"),
        (["--central-moments", "2.5"], "whole"),
        (["--right-censored", "obs"], "--loglik"),
        (["--rewards", "two", "--joint-moment", "1,1", "--joint-moment", "1"], "--joint-moment"),
        (["--rewards", "two", "--joint-moment", "1,0.5"], "whole"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_questions_that_do_not_go_together_exit_2(arguments, words, tmp_path):
    (tmp_path / "obs").write_text("1\n")
    (tmp_path / "two").write_text("0,0\n1,0\n0,1\n")
    outcome = phasic("evaluate", *PAIR, "--theta", "2", *arguments)
    assert outcome.code == ExitCode.USAGE
    assert outcome.out == ""
    assert outcome.err.startswith("error[USAGE]: ")
    assert words in outcome.err
    assert "  hint: " in outcome.err


def test_a_bad_theta_is_named_and_those_before_it_are_answered(tmp_path):
    (tmp_path / "t.csv").write_text("1\n2\n-3\n4\n")
    outcome = phasic("evaluate", *PAIR, "--thetas", "t.csv", "--pdf", "1")
    assert outcome.code == ExitCode.NO
    assert [record["row"] for record in outcome.records] == [0, 1]
    assert "error[WEIGHT_NEGATIVE]" in outcome.err
    assert "t.csv:3" in outcome.err


def test_every_option_takes_what_the_table_says():
    """Flags take nothing, all others one argument; so a table that drifts is seen."""
    for function in FUNCTIONS:
        bare = phasic("evaluate", *PAIR, "--theta", "2", f"--{function.option}")
        takes_argument = "requires an argument" in bare.err
        assert takes_argument == (function.takes is not Takes.NOTHING), function.option
