"""`phasic plot`: the file that it writes, what it prints, and what is refused."""

from __future__ import annotations

import sys

import pytest

from cli_runner import phasic
from phasic.cli.exit_codes import ExitCode

KINGMAN = ("phasic.models.coalescent:kingman", "--arg", "n=5")
PNG = b"\x89PNG"


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_path_is_printed_and_the_picture_is_there(tmp_path):
    outcome = phasic("plot", *KINGMAN, "--theta", "1", "-o", "density.png")
    assert (outcome.code, outcome.out) == (ExitCode.DONE, "density.png\n")
    assert (tmp_path / "density.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize("what", ["pdf", "cdf", "sf", "hazard", "graph"])
def test_each_picture_has_a_name_of_its_own(what, tmp_path):
    outcome = phasic("plot", *KINGMAN, "--theta", "1", "--what", what, "--json")
    assert outcome.envelope["data"] == {"path": f"phasic-{what}.png", "what": what}
    assert (tmp_path / f"phasic-{what}.png").read_bytes().startswith(PNG)


def test_a_discrete_model_is_drawn_by_its_probabilities(tmp_path):
    (tmp_path / "model.py").write_text(
        "from phasic import Graph\ngraph = Graph.from_matrices([1.0], [[0.75]], discrete=True)\n"
    )
    outcome = phasic("plot", "model.py", "--json")
    assert outcome.envelope["data"]["what"] == "pmf"


def test_a_graph_needs_no_theta():
    assert phasic("plot", *KINGMAN, "--what", "graph", "-o", "states.svg").code == ExitCode.DONE


def test_everything_at_once(tmp_path):
    (tmp_path / "data").write_text("".join(f"{k / 10},{k}\n" for k in range(1, 30)))
    outcome = phasic(
        "plot", *KINGMAN, "--theta", "1", "--what", "cdf", "--times", "0:4:41", "--data", "data",
        "--epoch", "0.5:2", "--title", "Seen and expected", "-o", "fit.svg",
    )  # fmt: skip
    assert outcome.code == ExitCode.DONE, outcome.err
    assert (tmp_path / "fit.svg").read_text().lstrip().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["--theta", "1", "-o", "a.gif"], "PLOT_FORMAT", ExitCode.USAGE),
        (["--theta", "1", "-o", "a"], "PLOT_FORMAT", ExitCode.USAGE),
        ([], "THETA_NOT_SET", ExitCode.USAGE),
        (["--theta", "1", "--what", "pmf"], "NOT_DISCRETE", ExitCode.NO),
        (["--theta", "1", "--what", "hazard", "--data", "data"], "PLOT_DATA", ExitCode.USAGE),
        (["--theta", "1", "--data", "none"], "FILE_NOT_FOUND", ExitCode.NO),
        (["--theta", "1", "--data", "empty"], "PLOT_DATA", ExitCode.NO),
        (["--theta", "1", "--times", "1"], "PLOT_TIMES", ExitCode.NO),
        (["--theta", "1", "--times", "x"], "USAGE", ExitCode.USAGE),
        (["--theta", "1", "--rewards", "two"], "REWARDS_LENGTH", ExitCode.NO),
        (["--theta", "-1"], "WEIGHT_NEGATIVE", ExitCode.NO),
        (["--theta", "1", "--what", "graph", "--data", "data"], "USAGE", ExitCode.USAGE),
        (["--theta", "1", "-o", "none/a.png"], "OPERATING_SYSTEM", ExitCode.ENVIRONMENT),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused(arguments, code, exit_code, tmp_path):
    (tmp_path / "data").write_text("1\n2\n")
    (tmp_path / "empty").write_text("")
    (tmp_path / "two").write_text("0,0\n" * 6)
    outcome = phasic("plot", *KINGMAN, *arguments, "--json")
    assert outcome.envelope["error"]["code"] == code
    assert outcome.code == exit_code
    assert not list(tmp_path.glob("*.png"))


def test_a_graph_that_is_too_large():
    outcome = phasic(
        "plot", "phasic.models.coalescent:kingman", "--arg", "n=100", "--what", "graph"
    )
    assert outcome.code == ExitCode.NO
    assert "error[PLOT_TOO_LARGE]: the graph has 101 vertices" in outcome.err
    assert "  hint: " in outcome.err


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    outcome = phasic("plot", *KINGMAN, "--theta", "1")
    assert outcome.code == ExitCode.ENVIRONMENT
    assert "error[MATPLOTLIB_MISSING]" in outcome.err
    assert "hint: pip install 'phasic[plot]'" in outcome.err
