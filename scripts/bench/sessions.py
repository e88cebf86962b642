"""What a user meets besides evaluation: state spaces, cold and warm starts, files, start-up."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import workers
from models import coalescent, explore, site_frequency, sweep_of_thetas
from peers import PeerEnvironment
from results import Results
from workers import Failed

WORKER = Path(__file__).with_name("library_worker.py")
Measure = Callable[[], dict[str, Any]]
START_UP_RUNS = 5
ROUNDS = 3


class Sessions:
    """Measurements that each need a process of their own. What fails is a figure without value."""

    def __init__(self, peers: PeerEnvironment | None, work_dir: Path, results: Results) -> None:
        self._peers = peers
        self._work_dir = work_dir
        self._results = results

    def run(self) -> None:
        """All of them."""
        with tempfile.TemporaryDirectory(dir=self._work_dir) as cache:
            self._state_spaces(cache)
            self._seeds(cache)
            self._hierarchical(cache)
            self._start_up(cache)

    def _ours(self, cache: str, task: str, **options: Any) -> dict[str, Any]:
        variables = {**os.environ, "PHASIC_CACHE_DIR": str(Path(cache) / task)}
        request = {"task": task, **options}
        try:
            python = Path(sys.executable)
            answer = workers.call(python, WORKER, request, variables, self._work_dir)
        except Failed as failed:
            return {"failed": str(failed)}
        return dict(answer)

    def _theirs(self, task: str, data: Path | None = None, **options: Any) -> dict[str, Any]:
        if self._peers is None:
            return {"failed": self._results.absent["phasic 0.32.1"]}
        try:
            return dict(self._peers.call(task, data, **options))
        except Failed as failed:
            return {"failed": str(failed)}

    def _add(
        self, name: str, answer: dict[str, Any], key: str, scale: float, unit: str, **target: Any
    ) -> None:
        value = scale * answer[key] if key in answer else None
        self._results.add(name, value, unit, note=answer.get("failed", ""), **target)

    def _ratio(
        self, name: str, theirs: dict[str, Any], ours: dict[str, Any], **target: Any
    ) -> None:
        failed = theirs.get("failed") or ours.get("failed") or ""
        value = None if failed else theirs["seconds"] / ours["seconds"]
        self._results.add(name, value, "x", note=failed, **target)

    def _in_turns(self, ours: Measure, theirs: Measure) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fastest answer of each; in turns, so that a machine that slows down slows both."""
        rounds = [(ours(), theirs()) for _ in range(ROUNDS)]
        mine, others = (min(answers, key=_seconds) for answers in zip(*rounds, strict=True))
        return mine, others

    def _state_spaces(self, cache: str) -> None:
        batch = self._ours(cache, "batch", side=100)
        label = "state space of 1,000,001 states and 5,940,001 edges, batch rule"
        self._add(f"{label}: CPU", batch, "cpu_seconds", 1, "s", at_most=5)
        self._add(f"{label}: peak memory", batch, "bytes", 1e-9, "GB", at_most=1.5)
        ours, theirs = self._in_turns(
            lambda: self._ours(cache, "callback", n=139),
            lambda: self._theirs("callback", n=139),
        )
        label = "state space of 2 demes, 139 lineages, callback"
        self._add(f"{label}: CPU", ours, "seconds", 1, "s")
        self._add(f"{label}: CPU of the callback alone", ours, "alone", 1, "s")
        self._add(f"{label}: CPU of phasic 0.32.1", theirs, "seconds", 1, "s")
        self._ratio(f"{label}: against phasic 0.32.1", theirs, ours, at_least=2)

    def _seeds(self, cache: str) -> None:
        label = "coalescent 67, state space to two moments"
        cold = self._ours(cache, "moments", n=67)
        warm = self._ours(cache, "moments", n=67)
        self._add(f"{label}, cold", cold, "seconds", 1e3, "ms", at_most=100)
        self._add(f"{label}, from the cache", warm, "seconds", 1e3, "ms", at_most=10)
        small = self._ours(cache, "load", model="kingman", n=100)
        self._add("trace of coalescent 100: load", small, "seconds", 1e3, "ms", at_most=1)
        self._add("trace of coalescent 100: file", small, "bytes", 1, "bytes", at_most=30_000)
        for label, model, ours in (
            ("coalescent 500", coalescent(500), {"model": "kingman", "n": 500}),
            ("site frequency 20", site_frequency(20), {"model": "site_frequency", "n": 20}),
        ):
            arrays = explore(model)
            data = self._work_dir / "model.npz"
            np.savez(
                data,
                states=arrays.states,
                source=arrays.source,
                target=arrays.target,
                coefficients=arrays.coefficients,
                thetas=sweep_of_thetas(model, 2),
            )
            hit, theirs = self._in_turns(
                lambda ours=ours: self._ours(cache, "load", **ours),
                lambda data=data: self._theirs("trace", data),
            )
            self._add(f"{label}: cache hit", hit, "seconds", 1e3, "ms")
            self._add(f"{label}: trace by phasic 0.32.1", theirs, "seconds", 1e3, "ms")
            name = f"{label}: cache hit against phasic 0.32.1's trace"
            self._ratio(name, theirs, hit, at_least=100)

    def _hierarchical(self, cache: str) -> None:
        for demes, first, last in ((2, 20, 60), (3, 10, 30)):
            answer = self._ours(cache, "hierarchical", demes=demes, first=first, last=last)
            label = f"{demes} demes, {first} to {last} lineages, all recorded"
            self._add(label, answer, "plain", 1e3, "ms")
            self._add(f"{label} with hierarchical=True", answer, "kept", 1e3, "ms")

    def _start_up(self, cache: str) -> None:
        program = str(Path(sys.executable).with_name("phasic"))
        for name, command, bound in (
            ("phasic --version", [program, "--version"], 0.2),
            ("phasic cache info", [program, "cache", "info"], 0.2),
            ("import phasic", [sys.executable, "-c", "import phasic"], 0.3),
        ):
            variables = {**os.environ, "PHASIC_CACHE_DIR": str(Path(cache) / "start")}
            seconds, note = _cpu_of(command, variables, self._work_dir)
            self._results.add(f"{name}: CPU", seconds, "s", at_most=bound, note=note)
        theirs = self._theirs("versions")
        self._add("import phasic 0.32.1: CPU", theirs, "import_seconds", 1, "s")


def _seconds(answer: dict[str, Any]) -> float:
    return float(answer.get("seconds", np.inf))


def _cpu_of(
    command: list[str], variables: dict[str, str], work_dir: Path
) -> tuple[float | None, str]:
    """User and system seconds of a command with its interpreter, the minimum of several runs."""
    best = float("inf")
    for _ in range(START_UP_RUNS):
        with open(os.devnull, "w") as nowhere:
            child = os.posix_spawn(
                command[0],
                command,
                variables,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2),
                ],
            )
            _, status, usage = os.wait4(child, 0)
        if status:
            return None, f"exit status {os.waitstatus_to_exitcode(status)}"
        best = min(best, usage.ru_utime + usage.ru_stime)
    return best, ""
