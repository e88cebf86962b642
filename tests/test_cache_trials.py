"""The cache's trials in short, and each of them against a cache with a bug.

The long forms are `scripts/check --cache`, and those with machines `scripts/check --machines`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cache_trials import launch

# Name, count; `scripts/checks/cache.py` has the counts of the long forms.
SHORT = {
    "one-key": 64,
    "two-paths": 12,
    "local-caches": 12,
    "holder-killed": 12,
    "skewed-clocks": 9,
    "kill-at-each-call": 12,
    "failures": 20,
    "shared-fails": 40,
    "later-kill-at-each-call": 24,
    "later-fails": 40,
    "damage": 40,
    "verify": 400,
    "sharing": 2,
    "daemon-killed": 6,
    "daemon-one-key": 64,
}
# With bounds on time or memory, or with so much to be done in a time.
MEASURED = {
    "random-kills": 40,
    "later-kills": 10,
    "one-copy": 32,
    "limits": 160,
    "readers": 80,
    "shared-hangs": 12,
    "remote-fails": 4000,
    "hostile": 3,
    "large": 80,
    "hit": 200,
    "daemon-two-nodes": 8,
    "daemon-acknowledged": 6,
    "daemon-hit": 200,
}
FIRES_AT = {
    "random-kills": 80,
    "kill-at-each-call": 2,
    "later-kills": 40,
    "later-kill-at-each-call": 6,
    "readers": 40,
    "one-key": 8,
    "local-caches": 8,
    "shared-hangs": 40,
    "sharing": 1,
    "hostile": 1,
    "daemon-one-key": 8,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return launch.build_shim(tmp_path_factory.mktemp("shim"))


def _possible(name: str) -> None:
    if name == "remote-fails":
        pytest.importorskip("obstore")
        pytest.importorskip("zstandard")
    if name == "sharing" and os.geteuid() != 0:
        pytest.skip("only root can be other users")


TRIALS = [
    *(pytest.param(name, count, id=name) for name, count in SHORT.items()),
    *(
        pytest.param(name, count, id=name, marks=pytest.mark.measured)
        for name, count in MEASURED.items()
    ),
]


@pytest.mark.parametrize(("name", "count"), TRIALS)
def test_promises_are_kept(name: str, count: int, library: Path) -> None:
    _possible(name)
    status, output = launch.run(name, count, library=library)
    assert status == 0, output
    # A thread that a trial's process left behind may warn once all is judged.
    assert output.splitlines()[-1].startswith(f"{name}: "), output


@pytest.mark.parametrize(("name", "count"), TRIALS)
def test_trials_find_a_planted_bug(name: str, count: int, library: Path) -> None:
    _possible(name)
    status, output = launch.run(name, FIRES_AT.get(name, count), "planted", library=library)
    assert status == 1, output
    assert "broken: " in output


def test_a_trial_that_lacks_something_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with machines are not run by default; without a kernel this one cannot be."""
    monkeypatch.delenv("CACHE_TRIALS_KERNEL", raising=False)
    status, output = launch.run("power-cut", module="cache_trials.machines")
    assert status == 3, output
    assert output.startswith("power-cut: not tried: "), output
