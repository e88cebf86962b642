"""Points in time as every command prints them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(seconds: float) -> str:
    """`2026-11-29T01:02:03Z` for seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
