"""Running programs, and the one way in which a check fails."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "check"


class CheckFailed(Exception):
    """A check found something; the message says what."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The process's own environment without what would change the results, and `extra`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PHASIC_") and name != "PYTHONPATH"
    }
    return kept | dict(extra or {})


def run(
    command: Sequence[str | Path],
    *,
    directory: Path = ROOT,
    extra: Mapping[str, str] | None = None,
) -> None:
    """A program whose output goes where ours goes; fails where it does."""
    words = [str(word) for word in command]
    print("$", shlex.join(words), flush=True)
    done = subprocess.run(words, cwd=directory, env=environment(extra), check=False)
    if done.returncode != 0:
        raise CheckFailed(f"{Path(words[0]).name} ended with {done.returncode}")


def outcome(
    command: Sequence[str | Path],
    *,
    directory: Path = ROOT,
    extra: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Exit status and everything that a program wrote."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=directory,
        env=environment(extra),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return done.returncode, done.stdout


def must_fire(
    instrument: str,
    command: Sequence[str | Path],
    signs: Sequence[str],
    *,
    directory: Path = ROOT,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Proof on a planted bug: the command fails and its output holds one of the signs."""
    status, output = outcome(command, directory=directory, extra=extra)
    if status == 0 or not any(sign in output for sign in signs):
        print(output)
        raise CheckFailed(f"{instrument} did not catch a planted bug (wanted: {signs})")
    print(f"{instrument}: fires on {str(command[-1]).split('planted_')[-1]}", flush=True)
