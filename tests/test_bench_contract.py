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
    assert [figure.met for figure in run.figures] == [False, False, True]
    tables = report.markdown(run)
    assert "**KLU was absent**: no such library" in tables
    assert "| speed | not measured | ≥ 5 x | **missed** (no such library) |" in tables
    assert "| time | 2 s | ≤ 1 s | **missed** |" in tables
    assert "| size | 1 bytes | ≤ 1 bytes | yes |" in tables


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
