"""One model against every contender, in one go, with everyone's answers compared."""

from pathlib import Path

import judge
import linear
import numpy as np
import ours
from klu import Klu
from models import Model, explore, sweep_of_thetas
from peers import PeerEnvironment
from results import Results, Row
from workers import Failed

N_THETAS = 64
ROUNDS = 2
BIG = 100_000  # multiply-adds from which a single theta must be clearly faster
HUGE = 1_000_000  # multiply-adds from which the size of the file is bounded
MULTIPLY_ADDS = {
    "3 demes, 40 lineages": 2.6e6,
    "4 demes, 20 lineages": 60e6,
    "two-locus 30": 1e4,
    "tandem 100x100": 16e6,
    "SIRS 300": 180e6,
    "coalescent 67": 0,
    "site frequency 20": 0,
    "site frequency 30": 0,
    "SIR 50": 0,
}
RECORD_SECONDS = {"3 demes, 40 lineages": 0.1, "4 demes, 20 lineages": 0.3}


def _difference(theirs: np.ndarray, means: np.ndarray) -> float:
    return float(np.max(np.abs(theirs / means - 1)))


def run(
    model: Model, klu: Klu | None, peers: PeerEnvironment | None, work_dir: Path, results: Results
) -> None:
    """Adds the model's row and its figures to `results`."""
    arrays = explore(model)
    thetas = sweep_of_thetas(model, N_THETAS)
    system = linear.columns(arrays, thetas)

    recording = ours.record(arrays)
    meta = recording.trace.meta
    one = ours.Evaluator.create(recording.trace, thetas, 1, 1, False)
    many = ours.Evaluator.create(recording.trace, thetas, N_THETAS, 1, False)
    four = ours.Evaluator.create(recording.trace, thetas, N_THETAS, 4, False)
    gradient = ours.Evaluator.create(recording.trace, thetas, N_THETAS, 1, True)
    row = Row(
        model=model.name,
        states=system.n,
        edges=len(arrays.source),
        parameters=thetas.shape[1],
        multiply_adds=meta["multiply_adds"],
        largest_component=meta["largest_component"],
        trace_bytes=recording.trace.n_bytes,
        freeze=recording.freeze,
        record=recording.record,
        one_theta=np.inf,
        many_thetas=np.inf,
        four_moments=np.inf,
        gradient=np.inf,
    )
    results.rows.append(row)

    # In turns, so that a machine that slows down slows everyone.
    klu_means = None
    for _ in range(ROUNDS):
        row.one_theta = min(row.one_theta, one.seconds_a_theta())
        if klu is not None and "KLU" not in row.failures:
            try:
                times = klu.time(system)
            except Failed as failed:
                row.failures["KLU"] = str(failed)
            else:
                if row.klu is None or times.one_theta < row.klu:
                    row.klu, row.klu_scaling = times.one_theta, times.scaling
                    row.klu_analyse = times.analyse_and_factor
                klu_means = times.means
        row.many_thetas = min(row.many_thetas, many.seconds_a_theta())
        row.four_moments = min(row.four_moments, four.seconds_a_theta())
        row.gradient = min(row.gradient, gradient.seconds_a_theta())

    means = many.moments[:, 0]
    for evaluator in (one, four, gradient):
        own = _difference(evaluator.moments[:, 0], means)
        row.differences["ours"] = max(own, row.differences.get("ours", 0.0))
    if klu_means is not None:
        row.differences["KLU"] = _difference(klu_means, means)
    truth = _truth(model, arrays, thetas)
    if truth is not None:
        row.differences["reference"] = _difference(truth, means[[0, -1]])
    if peers is not None:
        _python_peers(row, peers, work_dir, arrays, system, thetas, means[[0, -1]])
    _figures(model, row, gradient, thetas, results)


def _truth(model: Model, arrays: linear.Arrays, thetas: np.ndarray) -> np.ndarray | None:
    """The mean at the first and the last theta, from outside, where that can be had."""
    if model.mean is not None:
        return np.array([model.mean(thetas[k]) for k in (0, -1)])
    exact = [judge.mean(arrays, thetas[k]) for k in (0, -1)]
    return None if None in exact else np.array(exact)


def _python_peers(
    row: Row,
    peers: PeerEnvironment,
    work_dir: Path,
    arrays: linear.Arrays,
    system: linear.Columns,
    thetas: np.ndarray,
    means: np.ndarray,
) -> None:
    data = work_dir / "model.npz"
    arrays.save(
        data,
        thetas,
        n=system.n,
        start=system.start,
        column_start=system.column_start,
        row=system.row,
        values=system.values[[0, -1]],
    )
    try:
        answer = peers.call("splu", data)
        row.splu = answer["one_theta"]
        row.differences["splu"] = _difference(np.array(answer["means"]), means)
    except Failed as failed:
        row.failures["splu"] = str(failed)
    try:
        answer = peers.call("moments", data, order=1)
        row.phasic_first, row.phasic_new = answer["first_theta"], answer["new_theta"]
        row.phasic_bytes = answer["bytes"]
        row.differences["phasic 0.32.1"] = _difference(np.array(answer["means"]), means)
    except Failed as failed:
        row.failures["phasic 0.32.1"] = str(failed)


def _figures(
    model: Model, row: Row, gradient: ours.Evaluator, thetas: np.ndarray, results: Results
) -> None:
    name = model.name
    if name in MULTIPLY_ADDS:
        bound = MULTIPLY_ADDS[name]
        results.add(f"{name}: multiply-adds", row.multiply_adds, at_most=bound)
    if name in RECORD_SECONDS:
        seconds = row.freeze + row.record
        results.add(f"{name}: record", seconds, "s", at_most=RECORD_SECONDS[name])
    if row.multiply_adds >= HUGE:
        size = row.trace_bytes / row.multiply_adds
        results.add(f"{name}: trace bytes a multiply-add", size, "bytes", at_most=3)
    least = 1.5 if row.multiply_adds >= BIG else 0.9
    why = row.failures.get("KLU", "" if row.klu is not None else results.absent.get("KLU", ""))
    for what, own, bound in (
        ("one theta", row.one_theta, least),
        (f"{N_THETAS} thetas", row.many_thetas, 5.0),
    ):
        speed = None if row.klu is None else row.klu / own
        # Where KLU has no answer there is nothing to be faster than.
        target = {} if "KLU" in row.failures else {"at_least": bound}
        results.add(f"{name}: {what} against KLU", speed, "x", note=why, **target)
    results.add(
        f"{name}: moments 1-4 against the mean",
        row.four_moments / row.many_thetas,
        "x",
        at_most=2.5,
    )
    results.add(
        f"{name}: mean with gradient against the mean",
        row.gradient / row.many_thetas,
        "x",
        at_most=4.5,
    )
    own = row.differences["ours"]
    results.add(f"{name}: difference between one theta, lanes and gradient", own, at_most=1e-13)
    if "reference" in row.differences:
        results.add(f"{name}: error of the mean", row.differences["reference"], at_most=1e-12)

    # Rates are linear in theta without a constant, so theta . gradient = -mean, exactly; its terms
    # may cancel, so the difference counts against their size.
    slopes, means = gradient.gradient[:, 0, :], gradient.moments[:, 0]
    terms = slopes * thetas
    euler = np.max(np.abs(terms.sum(axis=1) + means) / np.abs(terms).sum(axis=1))
    if model.gradient is None:
        results.add(f"{name}: gradient against Euler's identity", float(euler), at_most=1e-12)
    else:
        exact = np.array([model.gradient(theta) for theta in thetas])
        results.add(f"{name}: error of the gradient", _difference(exact, slopes), at_most=1e-12)
