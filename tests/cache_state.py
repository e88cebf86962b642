"""What tests look at in a cache: the names in its directory, and what it has counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from phasic import trace_stores


def names(directory: Path) -> list[str]:
    """Those in the directory, sorted; none where there is no directory."""
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def counted(tier: trace_stores.Tier) -> dict[str, int]:
    """What a tier has counted, where it is not 0."""
    store = trace_stores.trace_remote() if tier == "remote" else trace_stores.trace_store(tier)
    return {name: number for name, number in store.counts.read().items() if number}


def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str = "other") -> Path:
    """Another machine from here on: a local cache of its own."""
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / name))
    return tmp_path / name


def shared_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A shared cache is configured; this is its directory."""
    directory = tmp_path / "shared"
    directory.mkdir(mode=0o700)
    monkeypatch.setenv("PHASIC_CACHE_SHARED_DIR", str(directory))
    return directory
