"""Damaged trace files against the codec, under the address sanitizer."""

from __future__ import annotations

import time

from checks import sanitizers
from checks.commands import must_fire, run
from checks.sandbox import Sandbox

RUNS_A_SEED = 20_000


def codec(sandbox: Sandbox, seconds: int) -> None:
    """New seeds until the time is over; each run prints what came of it."""
    folder = sanitizers.address_build(sandbox)
    # This build has lost one check of the validation.
    must_fire(
        "fuzzer",
        [folder / "fuzz_codec_planted", "5000", "1"],
        ["AddressSanitizer", "runtime error"],
        extra=sanitizers.c_variables(),
    )
    end = time.monotonic() + seconds
    seed = time.time_ns() % 1_000_000_000
    while time.monotonic() < end:
        # A seed that finds something is on the command line above the report.
        run([folder / "fuzz_codec", str(RUNS_A_SEED), str(seed)], extra=sanitizers.c_variables())
        seed += 1
