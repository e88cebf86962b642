"""The cache beside others on the same entry: hit, miss, publish, a stampede, damage.

joblib.Memory and diskcache live in an environment of their own below the work folder.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import workers
from models import explore, site_frequency, sweep_of_thetas
from peers import PeerEnvironment
from results import Results
from workers import Failed

from phasic.models import coalescent

WORKER = Path(__file__).with_name("cache_worker.py")
OTHERS = ("joblib", "diskcache")
LINEAGES = 20
ROUNDS = 3
CPU_SECONDS = 120  # phasic 0.32.1 builds its model anew for each flipped bit
OURS, OLD = "phasic", "phasic 0.32.1"
Answer = dict[str, Any]


class Caches:
    """Contenders by name, and the interpreter that has each."""

    def __init__(self, peers: PeerEnvironment | None, work_dir: Path, results: Results) -> None:
        self._work_dir = work_dir
        self._results = results
        self._pythons = {OURS: Path(sys.executable)}
        others = self._others()
        if others is not None:
            self._pythons |= {"joblib.Memory": others, "diskcache": others}
        if peers is not None:
            self._pythons[OLD] = work_dir / "venv" / "bin" / "python"

    def run(self) -> None:
        """All measurements; those of time in turns."""
        with tempfile.TemporaryDirectory(dir=self._work_dir) as folder:
            entries = self._entries(Path(folder))
            times: dict[str, Answer] = {}
            for _ in range(ROUNDS):
                for who in self._pythons:
                    answer = self._ask("times", who, folder, entries)
                    best = times.setdefault(who, answer)
                    times[who] = {
                        name: min(value, best.get(name, value)) if name != "failed" else value
                        for name, value in answer.items()
                    }
            self._say_times(times)
            for who in self._pythons:
                answer = self._ask("stampede", who, folder, entries)
                self._results.add(
                    f"stampede of 64 processes: recordings, {who}",
                    answer.get("recordings"),
                    note=answer.get("failed") or "",
                    **({"at_most": 1} if who == OURS else {}),
                )
            for who in self._pythons:
                answer = self._ask("damage", who, folder, entries)
                failed = answer.pop("failed", "")
                told = ", ".join(f"{count} {outcome}" for outcome, count in answer.items())
                right = answer.get("recorded again", 0) + answer.get("right all the same", 0)
                self._results.add(
                    f"one bit flipped, 20 times: right answers, {who}",
                    None if failed else right,
                    note=failed or told,
                    **({"at_least": 20} if who == OURS else {}),
                )

    def _say_times(self, times: dict[str, Answer]) -> None:
        for action in ("hit", "miss", "publish"):
            mine = times[OURS].get(action)
            for who, answer in times.items():
                label = f"cache, site frequency {LINEAGES}: {action}"
                seconds = answer.get(action)
                note = str(answer.get("failed", ""))
                if who == OURS:
                    value = None if seconds is None else 1e3 * seconds
                    self._results.add(f"{label}, CPU", value, "ms", note=note)
                    continue
                ratio = None if seconds is None or mine is None else seconds / mine
                self._results.add(f"{label}: {who} takes", ratio, "x", note=note)

    def _entries(self, folder: Path) -> dict[str, Path]:
        """The same model for all: the file of its trace, and what phasic 0.32.1 builds it from."""
        trace, model = folder / "entry", folder / "model.npz"
        trace.write_bytes(coalescent.site_frequency(LINEAGES).compute_trace().to_bytes())
        described = site_frequency(LINEAGES)
        explore(described).save(model, sweep_of_thetas(described, 2))
        return {who: model if who == OLD else trace for who in self._pythons}

    def _ask(self, task: str, who: str, folder: str, entries: dict[str, Path]) -> Answer:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            variables = {**os.environ, "PHASIC_STATE_DIR": place, "OMP_NUM_THREADS": "1"}
            request = {"task": task, "who": who, "folder": place, "data": str(entries[who])}
            if who != OURS:
                variables.pop("PYTHONPATH", None)  # which may lead to us
                variables["HOME"] = place
            try:
                answer = workers.call(
                    self._pythons[who], WORKER, request, variables, self._work_dir, CPU_SECONDS
                )
            except Failed as failed:
                return {"failed": str(failed)}
            return dict(answer)

    def _others(self) -> Path | None:
        place = self._work_dir / "caches"
        python, record = place / "bin" / "python", place / "complete"
        if not record.exists():
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(place)],
                [str(python), "-m", "pip", "install", "--quiet", *OTHERS],
            ):
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    self._results.absent["joblib.Memory, diskcache"] = done.stderr[-300:]
                    return None
            record.touch()
        return python
