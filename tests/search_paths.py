"""Where processes that tests start find modules."""

from __future__ import annotations

import os
from pathlib import Path


def search_path() -> str:
    """PYTHONPATH of such a process: the tests, and what this one was given. Not `sys.path`, which
    other tests may have changed, nor the sources of phasic: the installed one is tested."""
    own = str(Path(__file__).parent)
    return os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])])
