"""The remote tier against moto's server, which is not ours, where `moto_server` is installed."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli_runner import phasic
from phasic import PhasicWarning, trace_stores
from phasic.cli.exit_codes import ExitCode
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

pytest.importorskip("obstore")
pytest.importorskip("zstandard")
SERVER = os.environ.get("MOTO_SERVER") or shutil.which("moto_server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="no moto_server here")


def ask(port: int, method: str, path: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        signed = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"
        connection.request(method, path, headers={"Authorization": signed})
        return connection.getresponse().status


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    assert SERVER is not None
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PHASIC_CACHE_REMOTE_URL", "s3://traces/group")
    monkeypatch.setenv("PHASIC_CACHE_REMOTE_ENDPOINT", f"http://127.0.0.1:{port}")
    with subprocess.Popen(
        [SERVER, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            ends = time.monotonic() + 120
            while True:
                try:
                    assert ask(port, "PUT", "/traces") == 200
                    break
                except OSError:
                    assert process.poll() is None
                    assert time.monotonic() < ends
                    time.sleep(0.1)
            yield process
        finally:
            process.kill()


def test_all_of_it(
    moto: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "other"))
    second, recorded, kept = obtain_trace(queue_graph())
    assert (second.key, recorded, kept) == (first.key, False, True)
    name = f"{first.key}.trace"
    assert (tmp_path / "cache" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    tier = trace_stores.trace_remote()
    assert not tier.store(first.key, second.handle)  # created once
    assert tier.store(first.key, second.handle, replace=True)
    assert [entry.key for entry in tier.entries()] == [first.key]
    assert tier.counts.read()["hits"] == 1

    assert phasic("cache", "push", "--all").fields == {first.key: "there"}
    assert phasic("cache", "verify", "--tier", "remote").code == ExitCode.DONE
    assert phasic("cache", "clear", "--force").code == ExitCode.DONE
    assert phasic("cache", "pull", first.key[:8]).fields == {first.key: "pulled"}
    assert phasic("cache", "clear", "--tier", "remote", "--force").fields["removed"] == "1"
    assert list(tier.entries()) == []

    moto.kill()
    moto.wait()
    monkeypatch.setenv("PHASIC_CACHE_DEADLINE_SECONDS", "2")
    with pytest.warns(PhasicWarning, match="cannot be connected to") as said:
        _, recorded, kept = obtain_trace(queue_graph(5))
    assert (len(said), recorded, kept) == (1, True, True)
    assert tier.counts.read()["unavailable"] == 1


@pytest.mark.usefixtures("moto")
def test_a_missing_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASIC_CACHE_REMOTE_URL", "s3://nothing/group")
    with pytest.warns(PhasicWarning, match="the bucket does not exist") as said:
        obtain_trace(queue_graph())
    assert len(said) == 1
