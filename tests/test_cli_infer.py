"""`phasic infer`: data from files and pipes, every method, its output, what it refuses."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

import inference_models  # noqa: F401  (64-bit mode, as the command has it)
from cli_runner import phasic
from phasic import files
from phasic.cli.exit_codes import ExitCode
from phasic.errors import warning_counts
from phasic.inference import SVGD, Gamma, checkpoint, maximum_a_posteriori, maximum_likelihood
from phasic.models import coalescent

KINGMAN = ("phasic.models.coalescent:kingman", "--arg", "n=2")
DATA = [0.5, 1.0, 2.5, 0.25]
QUICK = ("--particles", "30", "--iterations", "40")


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("time\n" + "\n".join(map(str, DATA)))


def infer(*arguments, **options):
    return phasic("infer", KINGMAN[0], *arguments, *KINGMAN[1:], **options)


def test_a_posterior(tmp_path):
    outcome = infer("data.csv", "--prior", "gamma(3,2)", *QUICK, "-o", "particles.npy")
    assert (outcome.code, outcome.err) == (ExitCode.DONE, "")
    (record,) = outcome.records
    exact = SVGD(
        coalescent.kingman(2), DATA, prior=Gamma(3, 2), n_particles=30, n_iterations=40
    ).fit()
    assert record["method"] == "svgd"
    assert record["observations"] == 4
    assert (record["particles"], record["iterations"]) == (30, 40)
    assert record["parameters"]["mean"] == exact.mean.tolist()
    assert record["parameters"]["sd"] == exact.sd.tolist()
    assert record["parameters"]["lower"] == [exact.interval()[0, 0]]
    assert record["covariance"] == exact.covariance.tolist()
    np.testing.assert_array_equal(np.load(tmp_path / "particles.npy"), exact.particles)


@pytest.mark.parametrize("form", ["csv", "tsv", "npy"])
@pytest.mark.parametrize("piped", [False, True])
def test_forms_of_data(tmp_path, form, piped):
    path, weights = tmp_path / f"weighted.{form}", [1, 2, 1, 3]
    if form == "npy":
        np.save(path, np.stack([DATA, weights], axis=1))
    else:
        mark = {"csv": ",", "tsv": "\t"}[form]
        rows = (f"{time}{mark}{weight}" for time, weight in zip(DATA, weights, strict=True))
        path.write_text("\n".join(rows))
    source, stdin = ("-", path.read_bytes()) if piped else (path.name, b"")
    outcome = infer(source, "--method", "mle", stdin=stdin)
    (record,) = outcome.records
    assert record["observations"] == 7
    assert record["parameters"]["estimate"] == pytest.approx([7 / np.dot(DATA, weights)], rel=1e-9)


def test_estimates(tmp_path):
    graph = coalescent.kingman(2)
    (mle,) = infer("data.csv", "--method", "mle").records
    found = maximum_likelihood(graph, DATA)
    assert mle["parameters"]["estimate"] == found.theta.tolist()
    assert mle["parameters"]["standard_error"] == found.standard_errors.tolist()
    assert mle["loglik"] == found.value
    assert mle["at_bound"] == []
    (mode,) = infer("data.csv", "--method", "map", "--prior", "gamma(3,2)").records
    assert (
        mode["parameters"]["estimate"]
        == maximum_a_posteriori(graph, DATA, prior=Gamma(3, 2)).theta.tolist()
    )
    (moments,) = infer("data.csv", "--method", "moments", "--level", "0.5").records
    assert moments["parameters"]["estimate"] == pytest.approx([4 / sum(DATA)], rel=1e-9)
    assert moments["parameters"]["level"] == 0.5


def test_fixed_parameters_and_priors_in_order(tmp_path):
    (tmp_path / "model.py").write_text(
        "def two(state):\n"
        "    if state.size == 0:\n"
        "        return [([2], 1.0, [0.0, 0.0])]\n"
        "    k = state[0]\n"
        "    rates = {2: [1.0, 0.0], 1: [0.0, 1.0]}\n"
        "    return [([k - 1], 0.0, rates[k])] if k else []\n"
    )
    priors = ("--prior", "gamma(2,1)", "--prior", "fixed", "--fix", "1=3.5")
    outcome = phasic("infer", "model.py", "data.csv", "--method", "map", *priors)
    (record,) = outcome.records
    assert record["parameters"]["parameter"] == [0, 1]
    assert record["parameters"]["estimate"][1] == 3.5
    assert record["parameters"]["standard_error"][1] == 0
    outcome = phasic("infer", "model.py", "data.csv", "--method", "map", *priors[:-2])
    assert (outcome.code, "PRIOR_MISSING" in outcome.err) == (ExitCode.USAGE, True)


def test_censored_observations(tmp_path):
    (tmp_path / "late.txt").write_text("3\n4\n")
    (record,) = infer("data.csv", "--method", "mle", "--right-censored", "late.txt").records
    assert record["observations"] == 6
    assert record["parameters"]["estimate"] == pytest.approx([4 / (sum(DATA) + 7)], rel=1e-9)


def test_several_features(tmp_path):
    (tmp_path / "rewards.txt").write_text("0 0\n0 0\n1 2\n")
    (tmp_path / "rows.txt").write_text("1.0 2.0\n0.5 1.0\n")
    (record,) = infer("rows.txt", "--method", "mle", "--rewards", "rewards.txt").records
    assert record["parameters"]["estimate"] == pytest.approx([4 / 3], rel=1e-9)


def test_a_terminal_gets_a_table():
    outcome = infer("data.csv", "--method", "mle", terminal=True)
    assert "standard_error" in outcome.out
    assert "parameters, level 0.95" in outcome.out


def test_json():
    outcome = infer("data.csv", "--method", "mle", "--json")
    assert outcome.envelope["command"] == "infer"
    assert outcome.envelope["data"][0]["method"] == "mle"


def test_a_fit_goes_on_from_its_checkpoint(tmp_path):
    arguments = ("data.csv", *QUICK, "--checkpoint", "fit.npz")
    first, second = infer(*arguments), infer(*arguments)
    assert first.out == second.out
    assert (tmp_path / "fit.npz").exists()
    outcome = infer(*arguments, "--seed", "2")
    assert (outcome.code, "CHECKPOINT_OTHER" in outcome.err) == (ExitCode.NO, True)


@pytest.mark.parametrize(
    ("text", "options", "code", "exit_code"),
    [
        ("-1\n2\n", (), "TIME_INVALID", ExitCode.NO),
        ("", (), "DATA_EMPTY", ExitCode.NO),
        ("1 2 3\n", (), "DATA_FORMAT", ExitCode.NO),
        ("1\nx\n", (), "NUMBER_FORMAT", ExitCode.NO),
        ("1\n", ("--prior", "cauchy(1)"), "PRIOR_INVALID", ExitCode.USAGE),
        ("1\n", ("--prior", "gamma(1,1)", "--prior", "gamma(1,1)"), "PRIOR_LENGTH", ExitCode.USAGE),
        ("1\n", ("--fix", "0=2"), "PARAMETERS_FIXED", ExitCode.USAGE),
    ],
)
def test_what_is_refused(tmp_path, text, options, code, exit_code):
    (tmp_path / "bad.txt").write_text(text)
    outcome = infer("bad.txt", *options)
    assert outcome.code == exit_code
    assert f"error[{code}]" in outcome.err
    assert outcome.out == ""


def test_data_outside_the_support(tmp_path):
    (tmp_path / "model.py").write_text(
        "from phasic import Graph\n"
        "def steps():\n"
        "    graph = Graph(1, n_parameters=1, discrete=True)\n"
        "    one, end = graph.find_or_create_vertex([1]), graph.find_or_create_vertex([2])\n"
        "    graph.starting_vertex().add_edge(one, 1.0)\n"
        "    graph.add_edge_parameterized(one, one, 1.0, [-1.0])\n"
        "    graph.add_edge_parameterized(one, end, 0.0, [1.0])\n"
        "    return graph\n"
    )
    (tmp_path / "half.txt").write_text("1\n2\n0.5\n")
    outcome = phasic("infer", "model.py:steps", "half.txt", *QUICK)
    assert outcome.code == ExitCode.NO
    assert "error[DATA_OUTSIDE_SUPPORT]" in outcome.err
    assert "half.txt" in outcome.err


def test_a_terminal_holds_no_data():
    outcome = infer("-", terminal=True)
    assert (outcome.code, "terminal" in outcome.err) == (ExitCode.USAGE, True)


@pytest.mark.parametrize("time", ["inf", "1e308"])
@pytest.mark.parametrize("method", ["svgd", "map", "mle"])
def test_times_far_beyond_the_model_are_an_error_and_no_bug(tmp_path, time, method):
    (tmp_path / "far.csv").write_text(f"{time}\n1\n")
    outcome = infer("far.csv", "--method", method, *(QUICK if method == "svgd" else ()))
    assert outcome.code == ExitCode.NO
    assert "MODEL_REFUSED" in outcome.err or "DATA_OUTSIDE_SUPPORT" in outcome.err


@pytest.fixture
def full_disk(monkeypatch):
    """`full_disk(n)`: after n files that are written whole there is no space left."""

    def fill(after):
        count = iter(range(10**6))
        whole = files.replacing

        @contextmanager
        def replacing(path, mode="w", **options):
            with whole(path, mode, **options) as stream:
                if next(count) >= after:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                yield stream

        for module in (files, checkpoint):
            monkeypatch.setattr(module, "replacing", replacing)

    return fill


@pytest.mark.parametrize("option", ["-o", "--checkpoint"])
def test_a_target_that_cannot_be_written_is_found_before_the_fit(option, monkeypatch):
    monkeypatch.setattr(SVGD, "_begun", lambda self: pytest.fail("the fit has begun"))
    outcome = infer("data.csv", *QUICK, option, "none/fit.npz")
    assert outcome.code == ExitCode.ENVIRONMENT
    assert outcome.out == ""
    assert "none/fit.npz: No such file or directory" in outcome.err


def test_the_answer_is_on_stdout_where_the_disk_is_full_after_the_fit(tmp_path, full_disk):
    infer("data.csv", *QUICK, "-o", "whole.npy")
    full_disk(0)
    outcome = infer("data.csv", *QUICK, "-o", "particles.npy")
    assert outcome.code == ExitCode.ENVIRONMENT
    (record,) = outcome.records
    np.testing.assert_array_equal(record["thetas"], np.load(tmp_path / "whole.npy"))
    assert "warning[OUTPUT_FAILED]" in outcome.err
    assert "on standard output" in outcome.err
    assert "particles.npy: No space left on device" in outcome.err
    assert not (tmp_path / "particles.npy").exists()
    envelope = infer("data.csv", *QUICK, "-o", "particles.npy", "--json").envelope
    assert envelope["data"][0]["thetas"] == record["thetas"]
    assert (envelope["exit_code"], envelope["error"]["code"]) == (3, "OPERATING_SYSTEM")


def test_a_checkpoint_that_fails_during_the_fit_is_a_warning(tmp_path, full_disk):
    arguments = ("data.csv", "--particles", "30", "--iterations", "120")
    whole = infer(*arguments)
    full_disk(1)
    before = warning_counts().get("CHECKPOINT_FAILED", 0)
    outcome = infer(*arguments, "--checkpoint", "fit.npz")
    assert (outcome.code, outcome.out) == (ExitCode.DONE, whole.out)
    assert outcome.err.count("warning[CHECKPOINT_FAILED]") == 2
    assert "step 100: fit.npz: No space left on device" in outcome.err
    assert warning_counts()["CHECKPOINT_FAILED"] == before + 2
    with np.load(tmp_path / "fit.npz") as stored:
        assert stored["iterations"][-1] == 50  # the one that could be written is whole


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00v\x00{", b"\0" * 5000])
def test_a_damaged_checkpoint_is_one_clean_error(content, tmp_path, monkeypatch):
    (tmp_path / "fit.npz").write_bytes(content)
    outcome = infer("data.csv", *QUICK, "--checkpoint", "fit.npz")
    assert outcome.code == ExitCode.NO
    assert outcome.err.startswith("error[CHECKPOINT_INVALID]: fit.npz is no checkpoint")
    monkeypatch.setenv("PHASIC_DEBUG", "1")
    assert "BadZipFile" in infer("data.csv", *QUICK, "--checkpoint", "fit.npz").err


@pytest.mark.parametrize("keep", [100, 400, -30, -1])
def test_a_truncated_checkpoint_is_one_clean_error(keep, tmp_path):
    arguments = ("data.csv", *QUICK, "--checkpoint", "fit.npz")
    infer(*arguments)
    path = tmp_path / "fit.npz"
    path.write_bytes(path.read_bytes()[:keep])
    outcome = infer(*arguments)
    assert outcome.code == ExitCode.NO
    assert outcome.err.startswith("error[CHECKPOINT_INVALID]: fit.npz is no checkpoint")


def test_an_array_of_a_checkpoint_that_claims_too_much_is_one_clean_error(tmp_path):
    arguments = ("data.csv", *QUICK, "--checkpoint", "fit.npz")
    infer(*arguments)
    with zipfile.ZipFile(tmp_path / "fit.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["thetas.npy"] = claiming(10**13)
    with zipfile.ZipFile(tmp_path / "fit.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    outcome = infer(*arguments)
    assert outcome.code == ExitCode.NO
    assert outcome.err.startswith("error[CHECKPOINT_INVALID]: fit.npz is no checkpoint")
    assert "80,000,000,000,000 bytes, and 8 bytes follow" in outcome.err


def claiming(rows):
    """A .npy file of one float whose header claims more."""
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (rows,)}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + bytes(8)


@pytest.mark.parametrize("piped", [False, True])
def test_a_npy_header_is_compared_with_what_follows(piped, tmp_path):
    (tmp_path / "data.npy").write_bytes(claiming(10**13))
    source, stdin = ("-", claiming(10**13)) if piped else ("data.npy", b"")
    outcome = infer(source, "--method", "mle", stdin=stdin)
    assert outcome.code == ExitCode.NO
    assert outcome.err.startswith("error[NUMBER_FORMAT]: ")
    assert "80,000,000,000,000 bytes, and 8 bytes follow" in outcome.err


@pytest.mark.parametrize(
    "content", [b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff", claiming(1)[:-3], b"1\n\xff\xfe\n"]
)
def test_damaged_data_are_one_clean_error(content, tmp_path):
    (tmp_path / "data.csv").write_bytes(content)
    outcome = infer("data.csv", "--method", "mle")
    assert outcome.code == ExitCode.NO
    assert outcome.err.startswith("error[NUMBER_FORMAT]: data.csv")


@pytest.mark.parametrize("text", ["", "time\n", "# nothing\n\n", "time,weight\n"])
def test_no_observations_are_an_error(text, tmp_path):
    (tmp_path / "data.csv").write_text(text)
    for method in ("svgd", "map", "mle", "moments"):
        outcome = infer("data.csv", "--method", method)
        assert (outcome.code, outcome.out) == (ExitCode.NO, "")
        assert outcome.err.startswith("error[DATA_EMPTY]: FATAL: data.csv has no observations")
