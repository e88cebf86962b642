"""Programs that tests start as processes of their own: JAX is set up once a process."""

from __future__ import annotations

import os
from pathlib import Path


def search_path() -> str:
    """PYTHONPATH of such a process: the tests, and what this one was given. Not `sys.path`, which
    other tests may have changed."""
    own = str(Path(__file__).parents[1])
    return os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])])
