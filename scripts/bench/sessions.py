"""What a user meets besides evaluation: state spaces, cold and warm starts, files, start-up."""

import os
import sys
import tempfile
from pathlib import Path

from fresh import FreshProcesses, in_turns
from models import coalescent, explore, site_frequency, sweep_of_thetas

START_UP_RUNS = 5
ROUNDS = 3


class Sessions(FreshProcesses):
    """Measurements that each need a process of their own."""

    def run(self) -> None:
        """All of them."""
        with tempfile.TemporaryDirectory(dir=self.work_dir) as cache:
            self._state_spaces(cache)
            self._seeds(cache)
            self._hierarchical(cache)
            self._start_up(cache)

    def _state_spaces(self, cache: str) -> None:
        batch = self.ours(cache, "batch", side=100)
        label = "state space of 1,000,001 states and 5,940,001 edges, batch rule"
        self.add(f"{label}: CPU", batch, "cpu_seconds", 1, "s", at_most=5)
        self.add(f"{label}: peak memory", batch, "bytes", 1e-9, "GB", at_most=1.5)
        ours, theirs = in_turns(
            lambda: self.ours(cache, "callback", n=139),
            lambda: self.theirs("callback", n=139),
            ROUNDS,
        )
        label = "state space of 2 demes, 139 lineages, callback"
        self.add(f"{label}: CPU", ours, "seconds", 1, "s")
        self.add(f"{label}: CPU of the callback alone", ours, "alone", 1, "s")
        self.add(f"{label}: CPU of phasic 0.32.1", theirs, "seconds", 1, "s")
        self.ratio(f"{label}: against phasic 0.32.1", theirs, ours, at_least=2)

    def _seeds(self, cache: str) -> None:
        label = "coalescent 67, state space to two moments"
        cold = self.ours(cache, "moments", n=67)
        warm = self.ours(cache, "moments", n=67)
        self.add(f"{label}, cold", cold, "seconds", 1e3, "ms", at_most=100)
        self.add(f"{label}, from the cache", warm, "seconds", 1e3, "ms", at_most=10)
        small = self.ours(cache, "load", model="kingman", n=100)
        self.add("trace of coalescent 100: load", small, "seconds", 1e3, "ms", at_most=1)
        self.add("trace of coalescent 100: file", small, "bytes", 1, "bytes", at_most=30_000)
        for label, model, ours in (
            ("coalescent 500", coalescent(500), {"model": "kingman", "n": 500}),
            ("site frequency 20", site_frequency(20), {"model": "site_frequency", "n": 20}),
        ):
            arrays = explore(model)
            data = self.work_dir / "model.npz"
            arrays.save(data, sweep_of_thetas(model, 2))
            hit, theirs = in_turns(
                lambda ours=ours: self.ours(cache, "load", **ours),
                lambda data=data: self.theirs("trace", data),
                ROUNDS,
            )
            self.add(f"{label}: cache hit", hit, "seconds", 1e3, "ms")
            self.add(f"{label}: trace by phasic 0.32.1", theirs, "seconds", 1e3, "ms")
            name = f"{label}: cache hit against phasic 0.32.1's trace"
            self.ratio(name, theirs, hit, at_least=100)

    def _hierarchical(self, cache: str) -> None:
        for demes, first, last in ((2, 20, 60), (3, 10, 30)):
            answer = self.ours(cache, "hierarchical", demes=demes, first=first, last=last)
            label = f"{demes} demes, {first} to {last} lineages, all recorded"
            self.add(label, answer, "plain", 1e3, "ms")
            self.add(f"{label} with hierarchical=True", answer, "kept", 1e3, "ms")

    def _start_up(self, cache: str) -> None:
        program = str(Path(sys.executable).with_name("phasic"))
        for name, command, bound in (
            ("phasic --version", [program, "--version"], 0.2),
            ("phasic cache info", [program, "cache", "info"], 0.2),
            ("import phasic", [sys.executable, "-c", "import phasic"], 0.3),
        ):
            variables = {**os.environ, "PHASIC_CACHE_DIR": str(Path(cache) / "start")}
            seconds, note = _cpu_of(command, variables, self.work_dir)
            self.results.add(f"{name}: CPU", seconds, "s", at_most=bound, note=note)
        theirs = self.theirs("versions")
        self.add("import phasic 0.32.1: CPU", theirs, "import_seconds", 1, "s")


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
