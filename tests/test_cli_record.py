"""`phasic record`, `phasic inspect` and `phasic cache`."""

from __future__ import annotations

import os

import pytest

from cli_runner import phasic
from phasic import hash as phasic_hash
from phasic.cli.exit_codes import ExitCode
from phasic.models import coalescent, structured
from phasic.trace_elimination import EliminationTrace

KINGMAN = ["phasic.models.coalescent:kingman", "--arg", "n=5"]
TRAPPED = """
def model(state):
    if state.size == 0:
        return [([3], 1.0, [0.0])]
    k = int(state[0])
    return {
        3: [([2], 0.0, [1.0]), ([0], 0.0, [1.0])],
        2: [([1], 0.0, [1.0])],
        1: [([2], 0.0, [1.0])],
        0: [],
    }[k]
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    directory = tmp_path / "cache"
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(directory))
    monkeypatch.chdir(tmp_path)
    return directory


# -- record


def test_the_key_is_the_graph_s_and_names_the_only_file(cache):
    outcome = phasic("record", *KINGMAN)
    assert outcome.code == ExitCode.DONE
    key = outcome.out.strip()
    assert outcome.out == f"{key}\n"
    assert key == phasic_hash.compute_graph_hash(coalescent.kingman(5)).hash_hex
    assert os.listdir(cache) == [f"{key}.trace"]
    assert outcome.err == ""


def test_the_second_time_it_is_found(cache):
    first = phasic("record", *KINGMAN, "--json").envelope["data"]
    second = phasic("record", *KINGMAN, "--json").envelope["data"]
    assert (first["origin"], second["origin"]) == ("recorded", "cache")
    assert first["key"] == second["key"]
    assert first["vertices"] == 6


def test_a_file_of_one_s_own(tmp_path):
    outcome = phasic("record", *KINGMAN, "-o", "k.trace")
    assert outcome.out == "k.trace\n"
    trace = EliminationTrace.load(tmp_path / "k.trace")
    assert trace.n_vertices == 6
    assert phasic("inspect", "k.trace").fields["origin"] == "file"


def test_on_a_terminal_a_line_says_what_happened():
    outcome = phasic("record", *KINGMAN, terminal=True)
    assert "6 vertices" in outcome.err
    assert "recorded" in outcome.err
    assert "\n" in outcome.out


def test_without_a_cache_a_file_is_needed(cache, monkeypatch):
    monkeypatch.setenv("PHASIC_DISABLE_CACHE", "1")
    outcome = phasic("record", *KINGMAN)
    assert outcome.code == ExitCode.USAGE
    assert "error[CACHE_DISABLED]" in outcome.err
    assert phasic("record", *KINGMAN, "-o", "k.trace").out == "k.trace\n"
    assert phasic("evaluate", "k.trace", "--theta", "1").code == ExitCode.DONE
    assert phasic("evaluate", "0" * 64, "--theta", "1").code == ExitCode.USAGE
    assert not cache.exists()


def test_a_trace_that_cannot_be_kept_is_no_success(cache):
    cache.write_text("a file stands where the directory should be")
    outcome = phasic("record", *KINGMAN, "--json")
    assert outcome.code == ExitCode.ENVIRONMENT
    assert outcome.out.count("\n") == 1
    assert outcome.envelope["error"]["code"] == "CACHE_SAVE_FAILED"
    assert any("CACHE_SAVE_FAILED" in text for text in outcome.envelope["warnings"])
    # The result is needed and comes all the same where it is not the key that is asked for.
    outcome = phasic("evaluate", *KINGMAN, "--theta", "1")
    assert outcome.code == ExitCode.DONE
    assert "warning[CACHE_SAVE_FAILED]" in outcome.err
    assert outcome.records[0]["moments"][0] == pytest.approx(1.6, rel=1e-14)


def test_an_output_that_cannot_be_written(tmp_path):
    outcome = phasic("record", *KINGMAN, "-o", "no/such/directory/k.trace")
    assert outcome.code == ExitCode.ENVIRONMENT
    assert "no/such/directory" in outcome.err
    assert "hint:" in outcome.err


# -- inspect


def test_facts(tmp_path):
    graph = structured.migration(4, 3)
    key = phasic("record", "phasic.models.structured:migration", "--arg", "n=4", "--arg", "demes=3")
    facts = phasic("inspect", key.out.strip()).fields
    trace = graph.compute_trace()
    assert facts["key"] == trace.key
    assert facts["origin"] == "cache"
    assert facts["kind"] == "continuous"
    # 34 = C(7, 3) - 1 ways to have 1 to 4 lineages in 3 demes, and the start.
    assert facts["vertices"] == "35"
    assert facts["absorbing"] == "3"
    assert facts["parameters"] == "2"
    assert facts["state_length"] == "3"
    assert facts["operations"] == str(len(trace.operations))
    assert facts["bytes"] == str(os.path.getsize(tmp_path / "cache" / f"{trace.key}.trace"))


def test_operations_are_listed():
    lines = phasic("inspect", *KINGMAN, "--ops").out.splitlines()
    rows = [line.split("\t") for line in lines]
    assert [row[0] for row in rows] == [str(k) for k in range(len(rows))]
    assert {row[1] for row in rows} <= {
        "CONST", "PARAM", "DOT", "ADD", "MUL", "DIV", "INV", "SUM",
    }  # fmt: skip
    assert ["1", "PARAM", "theta[0]"] in rows
    assert str(len(rows)) == phasic("inspect", *KINGMAN).fields["operations"]


def test_states_are_listed():
    rows = [line.split("\t") for line in phasic("inspect", *KINGMAN, "--states").out.splitlines()]
    assert rows[0] == ["0", "start", "[0]"]
    assert rows[1] == ["1", "absorbing", "[1]"]
    assert rows[2:] == [[str(k), "transient", f"[{k}]"] for k in range(2, 6)]


def test_the_whole_trace_as_text_is_a_trace_again(tmp_path):
    key = phasic("record", *KINGMAN).out.strip()
    (tmp_path / "trace.json").write_text(phasic("inspect", key, "--whole").out)
    assert phasic("inspect", "trace.json").fields["key"] == key
    by_key = phasic("evaluate", key, "--theta", "1.5").out
    assert phasic("evaluate", "trace.json", "--theta", "1.5").out == by_key
    assert phasic("inspect", key, "--whole", "--json").envelope["data"]["trace"]["key"] == key


def test_text_that_is_no_trace(tmp_path):
    (tmp_path / "trace.json").write_text('{"format": "other"}')
    outcome = phasic("inspect", "trace.json")
    assert outcome.code == ExitCode.NO
    assert "error[FORMAT" in outcome.err


def test_check_lists_every_vertex_that_is_trapped(tmp_path):
    (tmp_path / "model.py").write_text(TRAPPED)
    outcome = phasic("inspect", "model.py", "--check")
    assert outcome.code == ExitCode.NO
    assert outcome.out.splitlines() == ["(1,)", "(2,)"]
    assert phasic("record", "model.py").code == ExitCode.NO
    envelope = phasic("inspect", "model.py", "--check", "--json").envelope
    assert envelope["ok"] is False
    assert envelope["data"] == [{"trapped": "(1,)"}, {"trapped": "(2,)"}]


def test_check_of_what_is_well():
    outcome = phasic("inspect", *KINGMAN, "--check")
    assert (outcome.code, outcome.out) == (ExitCode.DONE, "")
    key = phasic("record", *KINGMAN).out.strip()
    assert phasic("inspect", key, "--check").code == ExitCode.DONE


# -- cache


def test_an_empty_cache(cache):
    fields = phasic("cache", "info").fields
    assert fields["directory"] == str(cache)
    assert fields["source"] == "environment"
    assert (fields["traces"], fields["bytes"]) == ("0", "0")
    assert phasic("cache", "list").out == ""
    assert phasic("cache", "list", terminal=True).err == "no trace in the cache\n"
    assert phasic("cache", "clear").code == ExitCode.DONE
    assert not cache.exists()


def test_a_cache_with_traces(cache):
    keys = [
        phasic("record", "phasic.models.coalescent:kingman", "--arg", f"n={n}").out.strip()
        for n in (4, 5)
    ]
    sizes = {path.stem: path.stat().st_size for path in cache.iterdir()}
    fields = phasic("cache", "info").fields
    assert fields["traces"] == "2"
    assert fields["bytes"] == str(sum(sizes.values()))
    rows = [line.split("\t") for line in phasic("cache", "list").out.splitlines()]
    assert {row[0]: int(row[1]) for row in rows} == sizes
    assert sorted(sizes) == sorted(keys)


def test_clearing_needs_force_where_nobody_can_be_asked(cache):
    phasic("record", *KINGMAN)
    outcome = phasic("cache", "clear")
    assert outcome.code == ExitCode.USAGE
    assert "error[NEEDS_FORCE]" in outcome.err
    assert "--force" in outcome.err
    assert len(os.listdir(cache)) == 1
    assert phasic("cache", "clear", "--force").fields["removed"] == "1"
    assert os.listdir(cache) == []


def test_a_dry_run_removes_nothing(cache):
    phasic("record", *KINGMAN)
    fields = phasic("cache", "clear", "--dry-run").fields
    assert (fields["removed"], fields["dry_run"]) == ("1", "true")
    assert len(os.listdir(cache)) == 1


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [("y\n", ExitCode.DONE, 0), ("n\n", ExitCode.NO, 1), ("\n", ExitCode.NO, 1), ("", 1, 1)],
)
def test_clearing_asks_on_a_terminal(cache, answer, code, left):
    phasic("record", *KINGMAN)
    outcome = phasic("cache", "clear", terminal=True, stdin=answer)
    assert outcome.code == code
    assert "Remove 1 trace" in outcome.err
    assert len(os.listdir(cache)) == left


def test_wrong_configuration_exits_2(monkeypatch):
    monkeypatch.setenv("PHASIC_DISABLE_CACHE", "perhaps")
    outcome = phasic("cache", "info", "--json")
    assert outcome.code == ExitCode.USAGE
    assert "PHASIC_DISABLE_CACHE" in outcome.envelope["error"]["message"]
