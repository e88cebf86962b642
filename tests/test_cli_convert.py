"""`phasic convert`, and files of edges and matrices as models of the other commands."""

from __future__ import annotations

import json

import pytest

from cli_runner import phasic
from phasic.cli.exit_codes import ExitCode
from phasic.interchange import READABLE, WRITABLE

SIR = ["phasic.models.epidemics:sir", "--arg", "population=4"]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def moments(*arguments):
    outcome = phasic("evaluate", *arguments)
    assert outcome.code == 0, outcome.err
    return pytest.approx(outcome.records[0]["moments"], rel=1e-12)


@pytest.mark.parametrize("suffix", [suffix for suffix in WRITABLE if suffix != ".dot"])
def test_every_format_is_written_and_is_a_model(suffix):
    outcome = phasic("convert", *SIR, f"m{suffix}", "--theta", "2,1")
    assert (outcome.code, outcome.out) == (0, f"m{suffix}\n")
    assert moments(f"m{suffix}").expected == moments(*SIR, "--theta", "2,1")
    key = phasic("record", f"m{suffix}").out
    assert len(key) == 65
    assert phasic("inspect", f"m{suffix}").fields["key"] == key.strip()


def test_parameters_go_along():
    assert phasic("convert", *SIR, "m.drn").code == 0
    assert phasic("convert", "m.drn", "m.json").code == 0
    assert moments("m.json", "--theta", "2,1").expected == moments(*SIR, "--theta", "2,1")


def test_the_help_names_every_format(capsys):
    phasic("convert", "--help")
    text = capsys.readouterr().out
    assert all(suffix in text for suffix in WRITABLE)


def test_a_picture():
    assert phasic("convert", *SIR, "m.dot").code == 0
    with open("m.dot") as stream:
        assert stream.readline() == "digraph phasic {\n"
    assert ".dot" in WRITABLE
    assert ".dot" not in READABLE


def test_json():
    data = phasic("convert", *SIR, "m.csv", "--json").envelope["data"]
    assert data == {"path": "m.csv", "vertices": 15}


def test_arguments_of_files():
    phasic("convert", *SIR, "m.tra", "--theta", "2,1")
    assert moments("m.tra", "--arg", "target=absorbed").expected == moments("m.tra")
    assert moments("m.tra", "--arg", "discrete=false").expected == moments("m.tra")
    outcome = phasic("evaluate", "m.tra", "--discrete")
    assert "error[FILE_ROW_SUM]" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--arg", "n=3"], "takes no argument n"),
        (["--arg", "target=3"], "target is 3"),
        (["--arg", "discrete=maybe"], "discrete is 'maybe'"),
        (["--max-vertices", "10"], "takes no --max-vertices"),
    ],
)
def test_wrong_arguments_of_files(arguments, what):
    phasic("convert", *SIR, "m.csv")
    outcome = phasic("record", "m.csv", *arguments)
    assert outcome.code == ExitCode.USAGE
    assert what in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["m.drn", "x.csv"], ExitCode.NO, "there is no file m.drn"),
        ([*SIR, "x.pdf"], ExitCode.USAGE, "its name ends in no known format"),
        ([*SIR, "x.npz"], ExitCode.USAGE, "the graph has parameters: infection, recovery"),
        ([*SIR, "x.csv", "--theta", "1"], ExitCode.NO, "expected 2 parameters"),
        ([*SIR, "x.csv", "--theta", "-1,1"], ExitCode.NO, "-1"),
    ],
)
def test_what_cannot_be_converted(arguments, code, text, tmp_path):
    outcome = phasic("convert", *arguments)
    assert outcome.code == code
    assert text in outcome.err
    assert "hint:" in outcome.err
    assert not any(path.name.startswith("x.") for path in tmp_path.iterdir())


def test_a_trace_as_json_is_still_a_trace(tmp_path):
    key = phasic("record", *SIR).out.strip()
    text = phasic("inspect", key, "--whole").out
    (tmp_path / "t.json").write_text(text)
    assert json.loads(text)["format"].startswith("phasic-trace")
    assert moments("t.json", "--theta", "2,1").expected == moments(*SIR, "--theta", "2,1")


@pytest.mark.parametrize("command", [["convert", "m.json", "x.csv"], ["record", "m.json"]])
def test_json_that_is_no_model(command, tmp_path):
    (tmp_path / "m.json").write_text('{"format": "other"}')
    outcome = phasic(*command)
    assert outcome.code == ExitCode.NO
    assert 'expected an object with "format": "phasic-edges/1"' in outcome.err


def test_a_folder_that_is_not_there():
    outcome = phasic("convert", *SIR, "nowhere/m.csv")
    assert outcome.code == ExitCode.ENVIRONMENT
    assert "nowhere" in outcome.err
