"""`phasic evaluate`: one theta and many, from files, keys, models and pipes."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from cli_runner import phasic
from phasic.cli.exit_codes import ExitCode
from phasic.cli.thetas import CHUNK_ROWS
from phasic.models import coalescent, structured

KINGMAN = "phasic.models.coalescent:kingman"
ISLANDS = "phasic.models.structured:migration"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def key():
    return phasic("record", KINGMAN, "--arg", "n=5").out.strip()


@pytest.fixture
def islands():
    return phasic("record", ISLANDS, "--arg", "n=[1,1]").out.strip()


def test_one_theta_with_everything(key):
    outcome = phasic("evaluate", key, "--theta", "2", "--moments", "3", "--grad", "--variance")
    assert outcome.code == ExitCode.DONE
    (record,) = outcome.records
    assert list(record) == ["row", "theta", "moments", "gradient", "variance"]
    assert record["row"] == 0
    assert record["theta"] == [2.0]
    # Kingman's T at pair rate r is T at rate 1 divided by r: moment k is m_k / r^k.
    mean, second, third = record["moments"]
    assert mean == pytest.approx(0.8, rel=1e-14)
    assert record["variance"] == pytest.approx(517 / 450 / 4, rel=1e-14)
    assert second == pytest.approx(mean**2 + record["variance"], rel=1e-14)
    expected = [[-mean / 2], [-2 * second / 2], [-3 * third / 2]]
    np.testing.assert_allclose(record["gradient"], expected, rtol=1e-13)


def test_two_moments_are_given_unless_told(key):
    (record,) = phasic("evaluate", key, "--theta", "1").records
    assert list(record) == ["row", "theta", "moments"]
    assert len(record["moments"]) == 2


def test_many_thetas_as_json_lines(islands, tmp_path):
    rates = [0.1, 1.0, 10.0]
    (tmp_path / "t.csv").write_text("pair,migration\n" + "".join(f"1,{m}\n" for m in rates))
    outcome = phasic("evaluate", islands, "--thetas", "t.csv")
    assert outcome.code == ExitCode.DONE
    assert [record["row"] for record in outcome.records] == [0, 1, 2]
    means = [record["moments"][0] for record in outcome.records]
    # Slatkin 1991: two lineages of two demes meet after 2 + 1 / (2 m).
    np.testing.assert_allclose(means, [2 + 1 / (2 * m) for m in rates], rtol=1e-13)


def test_one_theta_and_many_give_the_same_numbers(islands, tmp_path):
    (tmp_path / "t.csv").write_text("1,0.3\n0.7,0.1\n2,5\n")
    many = phasic("evaluate", islands, "--thetas", "t.csv", "--grad", "--moments", "4").records
    for record in many:
        theta = ",".join(map(repr, record["theta"]))
        (one,) = phasic("evaluate", islands, "--theta", theta, "--grad", "--moments", "4").records
        assert one["moments"] == record["moments"]
        np.testing.assert_allclose(one["gradient"], record["gradient"], rtol=1e-14)


def test_theta_is_needed_where_there_are_parameters(key):
    outcome = phasic("evaluate", key)
    assert outcome.code == ExitCode.USAGE
    assert "error[THETA_NOT_SET]" in outcome.err
    assert "--theta" in outcome.err


def test_a_model_without_parameters_needs_no_theta(tmp_path):
    (tmp_path / "model.py").write_text(
        "from phasic import Graph\ngraph = Graph.from_matrices([1, 0], [[-1, 1], [0, -2]])\n"
    )
    (record,) = phasic("evaluate", "model.py").records
    assert record == {"row": 0, "theta": [], "moments": [1.5, 3.5]}


def test_numbers_survive_the_trip(key):
    theta = 0.1 + 0.2
    (record,) = phasic("evaluate", key, "--theta", repr(theta), "--moments", "4").records
    assert record["theta"] == [theta]
    assert record["moments"] == coalescent.kingman(5).at([theta]).moments(4).tolist()


def test_thetas_from_standard_input(key):
    outcome = phasic("evaluate", key, "--thetas", "-", stdin="1\n2\n4\n")
    assert [record["moments"][0] for record in outcome.records] == [1.6, 0.8, 0.4]


def test_thetas_as_npy_from_standard_input(key):
    buffer = io.BytesIO()
    np.save(buffer, np.array([[1.0], [2.0]]))
    outcome = phasic("evaluate", key, "--thetas", "-", stdin=buffer.getvalue())
    assert [record["moments"][0] for record in outcome.records] == [1.6, 0.8]


def test_a_key_from_standard_input(key):
    outcome = phasic("evaluate", "-", "--theta", "1", stdin=f"{key}\n")
    assert outcome.records[0]["moments"][0] == pytest.approx(1.6, rel=1e-14)


def test_a_path_from_standard_input(tmp_path):
    path = phasic("record", KINGMAN, "--arg", "n=5", "-o", "k.trace").out
    outcome = phasic("evaluate", "-", "--theta", "1", stdin=path)
    assert outcome.records[0]["moments"][0] == pytest.approx(1.6, rel=1e-14)


def test_an_empty_standard_input_says_that_the_command_before_it_failed():
    outcome = phasic("evaluate", "-", "--theta", "1")
    assert outcome.code == ExitCode.NO
    assert "error[KEY_MISSING]" in outcome.err
    assert "did the command before the pipe fail?" in outcome.err


def test_a_model_is_recorded_once_and_found_again(tmp_path):
    arguments = ["evaluate", KINGMAN, "--arg", "n=6", "--theta", "1"]
    first = phasic(*arguments)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".trace"]
    assert phasic(*arguments).out == first.out


def test_a_prefix_of_a_key(key):
    assert phasic("evaluate", key[:8], "--theta", "1").records[0]["moments"][0] == 1.6
    assert phasic("evaluate", key[:7], "--theta", "1").code == ExitCode.NO


def test_an_ambiguous_prefix(key, tmp_path):
    (tmp_path / "cache" / (key[:8] + "0" * 56 + ".trace")).write_bytes(b"")
    outcome = phasic("evaluate", key[:8], "--theta", "1")
    assert outcome.code == ExitCode.NO
    assert "error[KEY_AMBIGUOUS]" in outcome.err


def test_shards_together_are_the_whole(key, tmp_path):
    (tmp_path / "t.csv").write_text("".join(f"{k}\n" for k in range(1, 12)))
    whole = phasic("evaluate", key, "--thetas", "t.csv").records
    parts = [
        record
        for index in range(3)
        for record in phasic("evaluate", key, "--thetas", "t.csv", "--shard", f"{index}/3").records
    ]
    assert sorted(parts, key=lambda record: record["row"]) == whole


def test_rewards(tmp_path):
    key = phasic("record", KINGMAN, "--arg", "n=5").out.strip()
    states = phasic("inspect", key, "--states").out.splitlines()
    lineages = [json.loads(line.split("\t")[2])[0] for line in states]
    (tmp_path / "r.txt").write_text("".join(f"{k}\n" for k in lineages))
    outcome = phasic(
        "evaluate", key, "--theta", "1", "--rewards", "r.txt", "--moments", "1", "--variance"
    )
    # Tavaré 1984: total branch length, mean 2 H(n-1), variance 4 sum 1/i^2.
    assert outcome.records[0]["moments"][0] == pytest.approx(25 / 6, rel=1e-14)
    expected = 4 * (1 + 1 / 4 + 1 / 9 + 1 / 16)
    assert outcome.records[0]["variance"] == pytest.approx(expected, rel=1e-14)


def test_on_a_terminal_one_theta_is_a_list_and_many_are_a_table(key, tmp_path):
    outcome = phasic("evaluate", key, "--theta", "1", terminal=True)
    assert outcome.out.splitlines()[2].split() == ["moments[0]", "1.6"]
    (tmp_path / "t.csv").write_text("1\n2\n")
    outcome = phasic("evaluate", key, "--thetas", "t.csv", terminal=True)
    heading, _, first, second = outcome.out.splitlines()
    assert heading.split() == ["row", "theta[0]", "moments[0]", "moments[1]"]
    assert first.split()[:3] == ["0", "1.0", "1.6"]
    assert second.split()[:3] == ["1", "2.0", "0.8"]


def test_json_is_one_envelope(key, tmp_path):
    (tmp_path / "t.csv").write_text("1\n2\n")
    envelope = phasic("evaluate", key, "--thetas", "t.csv", "--json").envelope
    assert [record["moments"][0] for record in envelope["data"]] == [1.6, 0.8]
    assert envelope["command"] == "evaluate"
    assert envelope["ok"] is True


def test_more_rows_than_a_chunk(key):
    n = CHUNK_ROWS + 10
    outcome = phasic("evaluate", key, "--thetas", "-", stdin="1\n" * n)
    assert [record["row"] for record in outcome.records] == list(range(n))


# -- what can be wrong


@pytest.mark.parametrize(
    ("theta", "code"),
    [
        ("1,2", "THETA_LENGTH"),
        ("", "THETA_LENGTH"),
        ("nan", "THETA_NOT_FINITE"),
        ("inf", "THETA_NOT_FINITE"),
        ("one", "THETA_FORMAT"),
        ("-1", "WEIGHT_NEGATIVE"),
        ("0", "ABSORPTION_UNREACHABLE"),
    ],
)
def test_bad_theta(key, theta, code):
    outcome = phasic("evaluate", key, f"--theta={theta}", "--json")
    assert outcome.code == ExitCode.NO
    assert outcome.envelope["error"]["code"] == code
    assert outcome.envelope["data"] in (None, [])


def test_a_bad_line_is_named_and_those_before_it_are_answered(key, tmp_path):
    (tmp_path / "t.csv").write_text("theta\n1\n# half\n2\n-3\n4\n")
    outcome = phasic("evaluate", key, "--thetas", "t.csv")
    assert outcome.code == ExitCode.NO
    assert [record["row"] for record in outcome.records] == [0, 1]
    assert "error[WEIGHT_NEGATIVE]" in outcome.err
    assert "t.csv:5" in outcome.err


def test_a_line_that_is_no_theta(key, tmp_path):
    (tmp_path / "t.csv").write_text("1\n2\nx\n")
    outcome = phasic("evaluate", key, "--thetas", "t.csv", "--json")
    assert outcome.code == ExitCode.NO
    assert outcome.envelope["error"]["code"] == "THETA_FORMAT"
    assert "t.csv:3" in outcome.envelope["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["f" * 64, "--theta", "1"], "CACHE_MISS", ExitCode.NO),
        (["0123abcd", "--theta", "1"], "CACHE_MISS", ExitCode.NO),
        (["no/such.trace", "--theta", "1"], "FILE_NOT_FOUND", ExitCode.NO),
        (["no-such-thing", "--theta", "1"], "FILE_NOT_FOUND", ExitCode.NO),
        (["no_such_module", "--theta", "1"], "MODEL_NOT_FOUND", ExitCode.NO),
        (["garbage.trace", "--theta", "1"], "FORMAT_MAGIC", ExitCode.NO),
        ([KINGMAN, "--arg", "n=5", "--thetas", "none.csv"], "FILE_NOT_FOUND", ExitCode.NO),
        ([KINGMAN, "--arg", "n=5", "--theta", "1", "--rewards", "no"], "FILE_NOT_FOUND", 1),
        ([KINGMAN, "--arg", "n=5", "--theta", "1", "--rewards", "one"], "REWARDS_LENGTH", 1),
        ([KINGMAN, "--arg", "n=1", "--theta", "1"], "MODEL_ARGUMENT", ExitCode.NO),
        (["garbage.trace", "--arg", "n=5", "--theta", "1"], "USAGE", ExitCode.USAGE),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_sources(arguments, code, exit_code, tmp_path):
    (tmp_path / "garbage.trace").write_bytes(b"this is no trace" * 10)
    (tmp_path / "one").write_text("1\n")
    outcome = phasic("evaluate", *arguments, "--json")
    assert outcome.code == exit_code
    assert outcome.envelope["error"]["code"] == code
    assert outcome.envelope["error"]["hint"]
    assert outcome.envelope["exit_code"] == exit_code


def test_negative_rewards(key, tmp_path):
    (tmp_path / "r.txt").write_text("-1\n" * 6)
    outcome = phasic("evaluate", key, "--theta", "1", "--rewards", "r.txt")
    assert outcome.code == ExitCode.NO
    assert "error[REWARD_INVALID]" in outcome.err


def test_a_truncated_file_is_refused(tmp_path):
    phasic("record", KINGMAN, "--arg", "n=5", "-o", "k.trace")
    data = (tmp_path / "k.trace").read_bytes()
    (tmp_path / "cut.trace").write_bytes(data[: len(data) // 2])
    outcome = phasic("evaluate", "cut.trace", "--theta", "1", "--json")
    assert outcome.code == ExitCode.NO
    assert outcome.envelope["error"]["code"].startswith("FORMAT_")
    assert "cut.trace" in outcome.envelope["error"]["message"]


def test_a_damaged_cache_entry_is_said_and_recorded_again(key, tmp_path):
    entry = tmp_path / "cache" / f"{key}.trace"
    entry.chmod(0o600)
    data = bytearray(entry.read_bytes())
    data[-20] ^= 1
    entry.write_bytes(data)
    # The key alone cannot be recorded again …
    outcome = phasic("evaluate", key, "--theta", "1")
    assert outcome.code == ExitCode.NO
    assert "warning[CACHE_ENTRY_BAD]" in outcome.err
    # … and the model can.
    outcome = phasic("evaluate", KINGMAN, "--arg", "n=5", "--theta", "1")
    assert outcome.code == ExitCode.DONE
    assert outcome.records[0]["moments"][0] == pytest.approx(1.6, rel=1e-14)
    assert entry.exists()


def test_no_recording_by_itself_where_that_is_switched_off(monkeypatch):
    monkeypatch.setenv("PHASIC_DISABLE_AUTO_TRACE", "1")
    arguments = ["evaluate", KINGMAN, "--arg", "n=5", "--theta", "1"]
    outcome = phasic(*arguments)
    assert outcome.code == ExitCode.NO
    assert "FATAL: trace" in outcome.err
    assert "phasic record" in outcome.err
    key = phasic("record", KINGMAN, "--arg", "n=5").out.strip()
    assert phasic("evaluate", key, "--theta", "1").code == ExitCode.DONE


def test_evaluation_agrees_with_the_library():
    thetas = [[1.0, 0.3], [0.5, 2.0]]
    outcome = phasic(
        "evaluate",
        ISLANDS,
        "--arg",
        "n=[3,2]",
        "--thetas",
        "-",
        "--grad",
        stdin=json.dumps(thetas[0]) + "\n" + json.dumps(thetas[1]) + "\n",
    )
    graph = structured.migration([3, 2])
    for record, theta in zip(outcome.records, thetas, strict=True):
        values, slope = graph.at(theta).moments(2, gradient=True)
        np.testing.assert_allclose(record["moments"], values, rtol=1e-14)
        np.testing.assert_allclose(record["gradient"], slope, rtol=1e-13)
