"""The benchmark's own parts: its models, its judge, and what it says of what is not measured."""

from __future__ import annotations

import importlib
import sys
from math import comb
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCH = Path(__file__).parents[1] / "scripts" / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch):
    """Imports a module of the benchmark, which is a folder of scripts and no package."""
    monkeypatch.syspath_prepend(str(BENCH))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


def test_models_have_the_states_that_counting_gives(bench) -> None:
    models = bench("models")
    partitions_of_20 = 627
    for model, transient in (
        (models.coalescent(67), 66),
        (models.site_frequency(20), partitions_of_20 - 1),
        (models.islands(2, 30), comb(32, 2) - 3),
        (models.islands(3, 10), comb(13, 3) - 4),
        (models.tandem(30, 30), 900),
        (models.epidemic(50), 50 * 51 // 2),
        (models.epidemic(20, waning=True), 20 * 21 // 2),
        (models.grid(12), 144),
        (models.walk(5), 125),
        (models.overflow(40), 40),
    ):
        arrays = models.explore(model)
        assert arrays.transient.sum() == transient, model.name
        assert not arrays.base.any(), model.name


def test_the_judge_agrees_with_closed_forms_where_a_solver_has_no_digit_left(bench) -> None:
    models, judge = bench("models"), bench("judge")
    model = models.overflow(40)
    # Rates of 1 and 10: the mean is (10^41 - 10 - 9 * 40) / 81, about 1.2e39.
    assert model.mean(model.theta) == pytest.approx((10**41 - 370) / 81, rel=1e-15)
    arrays = models.explore(model)
    assert judge.mean(arrays, model.theta) == pytest.approx((10**41 - 370) / 81, rel=1e-14)


def test_closed_form_gradient_satisfies_eulers_identity(bench) -> None:
    model = bench("models").overflow(40)
    slope = model.gradient(model.theta)
    terms = slope * model.theta
    assert abs(terms.sum() + model.mean(model.theta)) < 1e-13 * np.abs(terms).sum()


def test_a_linear_system_gives_the_closed_form_mean(bench) -> None:
    models, linear = bench("models"), bench("linear")
    model = models.site_frequency(8)
    thetas = models.sweep_of_thetas(model, 3)
    system = linear.columns(models.explore(model), thetas)
    column = np.repeat(np.arange(system.n), np.diff(system.column_start))
    for theta, values in zip(thetas, system.values, strict=True):
        dense = np.zeros((system.n, system.n))
        dense[system.row, column] = values
        mean = np.linalg.solve(dense, np.ones(system.n))[system.start]
        assert mean == pytest.approx(2 * (1 - 1 / 8) / theta[0], rel=1e-13)


def test_what_was_not_measured_is_missed_and_said(bench) -> None:
    results, report = bench("results"), bench("report")
    run = results.Results("2001-02-03", {"cpu": "c", "cores": 1, "instruction_set": "i"}, {})
    run.absent["KLU"] = "no such library"
    run.add("speed", None, "x", at_least=5, note="no such library")
    run.add("time", 2.0, "s", at_most=1)
    run.add("size", 1.0, "bytes", at_most=1)
    run.add("theirs", 7.0, "s", note="guessed")
    run.add("others", None, "s", note="crashed")
    assert [figure.met for figure in run.figures] == [False, False, True, None, None]
    tables = report.markdown(run)
    assert "**KLU was absent**: no such library" in tables
    assert "| speed | not measured | ≥ 5 x | **missed** (no such library) |" in tables
    assert "| time | 2 s | ≤ 1 s | **missed** |" in tables
    assert "| size | 1 bytes | ≤ 1 bytes | yes |" in tables
    assert "| theirs | 7 s (guessed) |" in tables
    assert "| others | crashed |" in tables


def test_a_worker_that_crashes_or_fails_gives_no_answer(bench, tmp_path: Path) -> None:
    workers = bench("workers")
    script = tmp_path / "worker.py"
    for body, reason in (
        ("import os; os.kill(os.getpid(), 11)", "killed by signal 11"),
        ("raise ValueError('too bad')", "ValueError: too bad"),
    ):
        script.write_text(body)
        with pytest.raises(workers.Failed, match=reason):
            workers.call(Path(sys.executable), script, {}, {}, tmp_path)
    script.write_text("import sys; print('noise'); print(sys.argv[1])")
    answer = workers.call(Path(sys.executable), script, {"task": "echo"}, {}, tmp_path)
    assert answer == {"task": "echo"}


def test_a_worker_that_does_not_end_is_stopped(
    bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = bench("workers")
    monkeypatch.setattr(workers, "CPU_SECONDS", 0.2)
    monkeypatch.setattr(workers, "POLL_SECONDS", 0.1)
    script = tmp_path / "worker.py"
    script.write_text("while True: pass")
    with pytest.raises(workers.Failed, match=r"no answer in 0\.2 s of CPU time"):
        workers.call(Path(sys.executable), script, {}, {}, tmp_path)
    with pytest.raises(workers.Failed, match=r"no answer in 0\.1 s of CPU time"):
        workers.call(Path(sys.executable), script, {}, {}, tmp_path, cpu_seconds=0.1)


def test_a_peer_without_jax_models_says_why_and_takes_part_in_the_rest(
    bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers, workers = bench("peers"), bench("workers")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "no_jax").write_text("not built from source: no Eigen")
    environment = peers.PeerEnvironment(tmp_path)
    for task in ("svgd", "jax_density"):
        with pytest.raises(workers.Failed, match="no JAX models: not built from source: no Eigen"):
            environment.call(task)
    monkeypatch.setattr(workers, "call", lambda *arguments: arguments[2])
    assert environment.call("versions") == {"task": "versions", "data": None}
    (tmp_path / "venv" / "no_jax").write_text("")
    assert peers.PeerEnvironment(tmp_path).call("svgd", n=3)["n"] == 3


def test_of_a_failed_build_the_first_error_is_told(bench) -> None:
    first_error = bench("peers").first_error
    pip = "error: subprocess-exited-with-error\n"
    cmake = "-- found\n  CMake Error at CMakeLists.txt:9 (message):\n    MPFR not found\n\n"
    assert (
        first_error(pip + cmake + pip)
        == "CMake Error at CMakeLists.txt:9 (message): MPFR not found"
    )
    assert first_error("a\nb.cpp:1: fatal error: mpfr.h\nc") == "b.cpp:1: fatal error: mpfr.h"
    assert first_error("one\ntwo\n") == "two"
    assert first_error("") == "no message"


def test_the_exact_posterior_is_that_of_closed_forms(bench) -> None:
    exact = bench("posterior_reference")
    # Exponential times under a prior that is flat: gamma(n + 1, sum).
    times = np.random.default_rng(5).exponential(0.5, 40)
    mean, sd = exact.posterior(2, times, 0.0, 1e6)
    assert mean == pytest.approx(41 / times.sum(), rel=1e-10)
    assert sd == pytest.approx(41**0.5 / times.sum(), rel=1e-8)
    # A prior as informative as the data, and in the same place, halves the variance.
    same, narrow = exact.posterior(2, times, mean, sd)
    assert same == pytest.approx(mean, abs=0.2 * sd)
    assert narrow == pytest.approx(sd / 2**0.5, rel=0.05)
    with pytest.raises(ArithmeticError, match="cuts the posterior off"):
        exact.posterior(2, times, 0.0, 0.01)


def test_the_closed_form_density_is_that_of_uniformisation(bench) -> None:
    exact, models, reference = (
        bench(name) for name in ("posterior_reference", "models", "density_reference")
    )
    times = np.array([0.3, 1.0, 2.5, 7.0])
    uniformised = reference.density(models.explore(models.coalescent(12)), np.ones(1), times)
    if uniformised is not None:
        assert exact.density(12, times) == pytest.approx(uniformised, rel=1e-12)
    with pytest.raises(ArithmeticError, match="cancels"):
        exact.density(67, np.array([0.01]))


def test_fits_are_judged_by_time_and_by_the_exact_posterior(
    bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inference, results = bench("inference"), bench("results")
    problem = inference.Problem(2, 30, 50, timed=2, most_seconds=1, least_ratio=10)
    monkeypatch.setattr(inference, "PROBLEMS", [problem])
    exact = bench("posterior_reference").posterior(2, problem.times(), *inference.PRIOR)
    run = results.Results("2001-02-03", {}, {})

    class Answered(inference.Inference):
        def ours(self, cache, task, **options):
            assert np.array_equal(np.load(options["data"])["times"], problem.times())
            return {"seconds": 0.5, "mean": exact[0], "sd": 1.2 * exact[1]}

        def theirs(self, task, data=None, **options):
            return {"seconds": 20.0}

    Answered(None, tmp_path, run).run()
    figures = {figure.name.rpartition(": ")[2]: figure for figure in run.figures}
    assert figures["CPU"].met
    assert figures["against phasic 0.32.1"].value == 40
    assert "extrapolated: 50 times" in figures["against phasic 0.32.1"].note
    assert figures["error of posterior mean"].met
    assert figures["error of posterior sd, relative"].value == pytest.approx(0.2)
    assert figures["error of posterior sd, relative"].met is False
    assert len(run.figures) == 5  # nothing is said of a posterior that was not reached
