"""The main job, as `scripts/demo` runs it: record a model, evaluate it, find it in the cache."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

Answer = TypeVar("Answer")

THETAS = np.array([[1.0, rate] for rate in (0.01, 0.1, 1.0, 10.0)])
