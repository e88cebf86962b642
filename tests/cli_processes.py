"""The program as a process, and the models that tests give it: one that ends, one that does not."""

from __future__ import annotations

import sys

PHASIC = [sys.executable, "-m", "phasic.cli"]
PATIENCE = 60

COALESCENT = """
def model(state, nr_samples=5):
    if state.size == 0:
        return [([nr_samples], 1.0, [0.0])]
    k = int(state[0])
    return [([k - 1], 0.0, [k * (k - 1) / 2])] if k > 1 else []
"""

ENDLESS = """
import sys
def model(state):
    if state.size == 0:
        print("exploring", file=sys.stderr, flush=True)
        return [([0], 1.0, [0.0])]
    return [([int(state[0]) + 1], 1.0, [0.0])]
"""
