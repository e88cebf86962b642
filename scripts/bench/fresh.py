"""Both sides measured in processes of their own: asking, and figures from the answers."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import workers
from peers import PeerEnvironment
from results import Results
from workers import Failed

WORKER = Path(__file__).with_name("library_worker.py")
Answer = dict[str, Any]
Measure = Callable[[], Answer]


class FreshProcesses:
    """Answers of workers; one that failed is `{"failed": reason}` and a figure without value."""

    def __init__(self, peers: PeerEnvironment | None, work_dir: Path, results: Results) -> None:
        self._peers = peers
        self.work_dir = work_dir
        self.results = results

    def ours(
        self, cache: str, task: str, cpu_seconds: float | None = None, **options: Any
    ) -> Answer:
        """A task of library_worker.py; each keeps its traces in a folder of its own in `cache`."""
        variables = {**os.environ, "PHASIC_CACHE_DIR": str(Path(cache) / task)}
        request = {"task": task, **options}
        try:
            python = Path(sys.executable)
            answer = workers.call(python, WORKER, request, variables, self.work_dir, cpu_seconds)
        except Failed as failed:
            return {"failed": str(failed)}
        return dict(answer)

    def theirs(self, task: str, data: Path | None = None, **options: Any) -> Answer:
        """A task of peer_worker.py, by phasic 0.32.1."""
        if self._peers is None:
            return {"failed": self.results.absent["phasic 0.32.1"]}
        try:
            return dict(self._peers.call(task, data, **options))
        except Failed as failed:
            return {"failed": str(failed)}

    def add(
        self,
        name: str,
        answer: Answer,
        key: str,
        scale: float,
        unit: str,
        note: str = "",
        **target: Any,
    ) -> None:
        """A number of an answer as a figure."""
        value = scale * answer[key] if key in answer else None
        self.results.add(name, value, unit, note=answer.get("failed", note), **target)

    def ratio(self, name: str, theirs: Answer, ours: Answer, note: str = "", **target: Any) -> None:
        """How many times as long they take."""
        failed = theirs.get("failed") or ours.get("failed") or ""
        value = None if failed else theirs["seconds"] / ours["seconds"]
        self.results.add(name, value, "x", note=failed or note, **target)


def in_turns(ours: Measure, theirs: Measure, rounds: int) -> tuple[Answer, Answer]:
    """The fastest answer of each; in turns, so that a machine that slows down slows both."""
    answers = [(ours(), theirs()) for _ in range(rounds)]
    mine, others = (min(side, key=_seconds) for side in zip(*answers, strict=True))
    return mine, others


def _seconds(answer: Answer) -> float:
    return float(answer.get("seconds", np.inf))
