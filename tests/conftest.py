"""Every test has a cache and a home of its own, and no configuration from outside."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from phasic import errors

if TYPE_CHECKING:
    from daemons import Variables
    from fake_s3 import FakeS3


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


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """A remote cache is configured, and this is its storage."""
    from remote_storage import configured

    with configured(monkeypatch) as server:
        yield server


@pytest.fixture
def place() -> Iterator[Path]:
    """Short enough for a daemon's socket, of tests that connect by themselves."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def variables(place: Path, monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Of a cache with a shared one behind it, and of its daemon; they are set."""
    from daemons import settings

    chosen = settings(place, cache_deadline_seconds=5)
    for name, value in chosen.items():
        monkeypatch.setenv(name, str(value))
    return chosen
