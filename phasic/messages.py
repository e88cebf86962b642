"""What `PHASIC_DEBUG=1` shows."""

from __future__ import annotations

import sys

from . import config


def debug(text: str) -> None:
    """One line on stderr, if debugging is on."""
    if config.get_bool("debug"):
        print(f"phasic: {text}", file=sys.stderr)
