"""The main job, as `scripts/demo` runs it: record a model, evaluate it, find it in the cache."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from phasic.models import structured

Answer = TypeVar("Answer")

THETAS = np.array([[1.0, rate] for rate in (0.01, 0.1, 1.0, 10.0)])
