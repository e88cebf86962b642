"""Every test has a cache and a home of its own, and no configuration from outside."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from phasic import errors

if TYPE_CHECKING:
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
