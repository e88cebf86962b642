"""Reference values of log density, log distribution and log survival of hard models, from the body
into both tails to 1e-300.

- ``models``: the models, by name.
- ``values``: one JSON file a model; numbers of the distribution leave out what is absorbed at 0.
- ``make``: writes them (needs python-flint and a C compiler); ``exponential.c``,
  ``laplace`` and ``line`` are three of its ways.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

VALUES = Path(__file__).parent / "values"


def load() -> dict[str, dict[str, Any]]:
    """By name: model, reward (or None), times and, as strings, log_f, log_F, log_S."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(VALUES.glob("*.json"))}
