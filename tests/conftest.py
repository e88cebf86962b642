"""Every test has a cache and a home of its own, and no configuration from outside."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from phasic import errors


@pytest.fixture(autouse=True)
def cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache directory of the test; it does not exist until something is kept."""
    for name in list(os.environ):
        if name.startswith("PHASIC_"):
            monkeypatch.delenv(name)
    directory = tmp_path / "cache"
    # Loading a model's file adds its directory.
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)  # the user's daemon is not the tests'
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(directory))
    monkeypatch.setattr(errors, "_counts", type(errors._counts)())
    return directory
