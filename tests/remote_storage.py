"""A remote cache as tests configure it: `fake_s3`, credentials around."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fake_s3 import BUCKET, FakeS3, serving

SECRET = "planted/secret+of+this+test"
PREFIX = "of/a group"


def object_of(key: str) -> str:
    """The name of the object of a key in the bucket."""
    return f"{PREFIX}/{key}.trace.zst"


@contextmanager
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHISTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("PHASIC_CACHE_REMOTE_URL", f"s3://{BUCKET}/{PREFIX}")
    with serving() as server:
        monkeypatch.setenv("PHASIC_CACHE_REMOTE_ENDPOINT", server.endpoint)
        yield server
