"""KLU (SuiteSparse): refactor and solve in one pattern, through our own driver klu_driver.c."""

import ctypes
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from linear import Columns
from measure import BUDGET_SECONDS, MAX_REPEATS
from models import Floats
from workers import Absent, Failed

KLU_SINGULAR = 1
TRIAL_THETAS = 3
# KLU's own default scales rows; without scaling it refactors faster. It is given its better one.
SCALINGS = {"none": 0, "row maximum": 2}


@dataclass(frozen=True)
class KluTimes:
    """CPU seconds, the minimum of the repeats, and the answers at every theta."""

    analyse_and_factor: float
    one_theta: float
    scaling: str
    means: Floats


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


class Klu:
    """The driver, compiled into `work_dir` and loaded. Raises Absent where that fails."""

    def __init__(self, work_dir: Path) -> None:
        source = Path(__file__).with_name("klu_driver.c")
        library = work_dir / "klu_driver.so"
        command = ["cc", "-O2", "-std=c11", "-shared", "-fPIC", str(source), "-o", str(library)]
        try:
            built = subprocess.run([*command, "-lklu"], capture_output=True, text=True)
        except FileNotFoundError as missing:
            raise Absent("KLU", f"no C compiler: {missing}") from missing
        if built.returncode:
            reason = built.stderr.strip().splitlines()[0]
            raise Absent("KLU", f"{reason} (Debian: apt-get install libsuitesparse-dev)")
        self._run = ctypes.CDLL(str(library)).bench_klu

    def _sweep(
        self, system: Columns, scaling: int, count: int, repeats: int
    ) -> tuple[float, float, Floats]:
        answers, seconds, analyse = np.empty(count), np.empty(repeats), np.empty(1)
        scratch, ones = np.empty(system.n), np.ones(system.n)
        status = self._run(
            system.n,
            _pointer(system.column_start),
            _pointer(system.row),
            _pointer(system.values),
            count,
            _pointer(ones),
            system.start,
            scaling,
            repeats,
            _pointer(scratch),
            _pointer(answers),
            _pointer(seconds),
            _pointer(analyse),
        )
        if status:
            reason = "the matrix is singular" if status == KLU_SINGULAR else f"status {status}"
            raise Failed(f"KLU: {reason}")
        return float(analyse[0]), float(seconds.min()) / count, answers

    def time(self, system: Columns) -> KluTimes:
        """Tries both scalings on a few thetas and times the faster on all of them.

        Raises Failed where neither solves the system.
        """
        trials, failure = [], Failed("KLU was not asked")
        for name, scaling in SCALINGS.items():
            try:
                self._sweep(system, scaling, 1, 1)
                trials.append((self._sweep(system, scaling, TRIAL_THETAS, 1)[1], name))
            except Failed as failed:
                failure = failed
        if not trials:
            raise failure
        a_theta, name = min(trials)
        count = len(system.values)
        repeats = int(np.clip(BUDGET_SECONDS / max(count * a_theta, 1e-9), 1, MAX_REPEATS))
        analyse, seconds, answers = self._sweep(system, SCALINGS[name], count, repeats)
        return KluTimes(analyse, seconds, name, answers)
