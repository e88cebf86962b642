"""`phasic sample`: the library's samples, one a line, in JSON, in jobs of an array."""

from __future__ import annotations

import numpy as np
import pytest

from cli_runner import phasic
from phasic.cli.commands.sample import _CHUNK_PATHS, _CHUNK_SAMPLES
from phasic.cli.exit_codes import ExitCode
from phasic.models import coalescent

KINGMAN = "phasic.models.coalescent:kingman"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def key():
    return phasic("record", KINGMAN, "--arg", "n=5").out.strip()


@pytest.fixture
def at():
    return coalescent.kingman(5).at([1.5])


def test_one_value_a_line_with_all_its_digits(key, at):
    outcome = phasic("sample", key, "--theta", "1.5", "-n", "4", "--seed", "9")
    assert (outcome.code, outcome.err) == (ExitCode.DONE, "")
    assert [float(line) for line in outcome.out.splitlines()] == at.sample(4, seed=9).tolist()


def test_json(key, at):
    outcome = phasic("sample", key, "--theta", "1.5", "-n", "2", "--seed", "9", "--json")
    first, second = at.sample(2, seed=9).tolist()
    assert outcome.envelope["command"] == "sample"
    assert outcome.envelope["data"] == [{"time": first}, {"time": second}]


def test_ends(key, at):
    arguments = ("sample", key, "--theta", "1.5", "-n", "3", "--seed", "9", "--final")
    rows = [line.split("\t") for line in phasic(*arguments).out.splitlines()]
    assert [float(time) for time, _ in rows] == at.sample(3, seed=9).tolist()
    assert [vertex for _, vertex in rows] == ["1"] * 3  # one lineage is left
    assert set(phasic(*arguments, "--json").envelope["data"][0]) == {"time", "vertex"}


def test_rewards(key, at, tmp_path):
    rewards = [0, 0, 2, 3, 4, 5]
    (tmp_path / "r.txt").write_text("\n".join(map(str, rewards)))
    outcome = phasic(
        "sample", key, "--theta", "1.5", "-n", "3", "--seed", "9", "--rewards", "r.txt"
    )
    expected = at.sample(3, seed=9, rewards=rewards).tolist()
    assert [float(line) for line in outcome.out.splitlines()] == expected


def test_rewards_that_do_not_fit(key, tmp_path):
    (tmp_path / "r.txt").write_text("1\n2\n")
    outcome = phasic("sample", key, "--theta", "1", "--rewards", "r.txt")
    assert outcome.code == ExitCode.NO
    assert "error[REWARDS_LENGTH]" in outcome.err
    (tmp_path / "r.txt").write_text("0\n0\n-2\n3\n4\n5\n")
    outcome = phasic("sample", key, "--theta", "1", "--rewards", "r.txt")
    assert outcome.code == ExitCode.NO
    assert "error[REWARD_INVALID]" in outcome.err


def test_paths(key, at):
    outcome = phasic("sample", key, "--theta", "1.5", "-n", "2", "--seed", "9", "--paths")
    for number, (record, path) in enumerate(
        zip(outcome.records, at.sample_paths(2, seed=9), strict=True)
    ):
        assert record == {
            "sample": number,
            "vertices": path.vertices.tolist(),
            "times": path.times.tolist(),
        }


@pytest.mark.parametrize(
    ("option", "chunk"), [("--seed=1", _CHUNK_SAMPLES), ("--paths", _CHUNK_PATHS)]
)
def test_more_than_a_chunk_and_jobs_of_an_array(key, option, chunk):
    arguments = ("sample", key, "--theta", "1.5", "--seed", "1", option)
    n = chunk + 3
    whole = phasic(*arguments, "-n", str(n)).out.splitlines()
    assert len(whole) == n
    parts = []
    for first in (0, 5, chunk):
        count = {0: 5, 5: chunk - 5, chunk: 3}[first]
        part = phasic(*arguments, "-n", str(count), "--first", str(first))
        parts += part.out.splitlines()
    assert parts == whole


def test_without_a_seed_samples_are_fresh(key):
    arguments = ("sample", key, "--theta", "1", "-n", "3")
    assert phasic(*arguments).out != phasic(*arguments).out


def test_a_terminal_is_told_the_fresh_seed(key):
    outcome = phasic("sample", key, "--theta", "1", "-n", "2", terminal=True)
    seed = outcome.err.removeprefix("seed ").strip()
    again = phasic("sample", key, "--theta", "1", "-n", "2", "--seed", seed, terminal=True)
    assert outcome.out == again.out
    assert "time" in outcome.out.splitlines()[0]
    assert again.err == ""


def test_none(key):
    outcome = phasic("sample", key, "--theta", "1", "-n", "0")
    assert (outcome.code, outcome.out) == (ExitCode.DONE, "")


def test_discrete_times_and_times_without_end(tmp_path):
    (tmp_path / "model.py").write_text(
        "from phasic import Graph\n"
        "def steps():\n"
        "    return Graph.from_matrices([1.0], [[0.5]], discrete=True)\n"
        "def trap():\n"
        "    ring = [[-1, 0, 0], [0, -1, 1], [0, 1, -1]]\n"
        "    return Graph.from_matrices([0.5, 0.5, 0], ring, improper=True)\n"
    )
    outcome = phasic("sample", "model.py:steps", "-n", "50", "--seed", "1")
    assert {float(line) % 1 for line in outcome.out.splitlines()} == {0}
    outcome = phasic("sample", "model.py:trap", "-n", "50", "--seed", "1", "--final")
    rows = [line.split("\t") for line in outcome.out.splitlines()]
    assert {vertex for time, vertex in rows if time == "inf"} == {"-1"}
    assert {vertex for time, vertex in rows if time != "inf"} == {"4"}
    data = phasic("sample", "model.py:trap", "-n", "50", "--seed", "1", "--json").envelope["data"]
    assert {record["time"] for record in data} >= {"inf"}


def test_theta_is_needed_and_checked(key):
    outcome = phasic("sample", key)
    assert outcome.code == ExitCode.USAGE
    assert "error[THETA_NOT_SET]" in outcome.err
    outcome = phasic("sample", key, "--theta", "-1")
    assert outcome.code == ExitCode.NO
    assert "error[WEIGHT_NEGATIVE]" in outcome.err


def test_samples_too_long_to_be_walked():
    queue = ("phasic.models.birth_death:overflow", "--arg", "capacity=40")
    outcome = phasic("sample", *queue, "--theta", "1,3", "--seed", "1")
    assert outcome.code == ExitCode.NO
    assert "error[SAMPLES_TOO_LONG]" in outcome.err
    assert "hint: " in outcome.err


def test_the_mean_is_near(key):
    out = phasic("sample", key, "--theta", "1", "-n", "20000", "--seed", "3").out
    times = np.array(out.split(), dtype=float)
    # mean 1.6, variance 517/450; four deviations of the mean
    assert abs(times.mean() - 1.6) < 4 * np.sqrt(517 / 450 / times.size)
