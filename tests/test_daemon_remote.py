"""The daemon before the remote cache: it alone has the credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemons import daemon, obtain, settings, until
from fake_s3 import FakeS3
from remote_storage import SECRET

pytest.importorskip("obstore")
pytest.importorskip("zstandard")


def test_clients_need_no_credentials(storage: FakeS3, tmp_path: Path) -> None:
    variables = settings(tmp_path)
    del variables["PHASIC_CACHE_SHARED_DIR"]
    without = variables | {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    elsewhere = {"PHASIC_CACHE_DIR": tmp_path / "elsewhere", "PHASIC_DAEMON_DIR": tmp_path / "none"}
    first = obtain(variables | elsewhere, 4)
    with daemon(variables) as running:
        assert storage.count("GET") == 1  # starting asks nothing
        got = obtain(without, 4)
        assert (got["recorded"], got["warnings"]) == (False, {})
        assert got["moments"] == first["moments"]
        new = obtain(without, 5)
        assert (new["recorded"], new["kept"], new["warnings"]) == (True, True, {})
        until(lambda: len(storage.objects) == 2)
        line = Path(f"/proc/{running.process.pid}/cmdline").read_bytes().decode()
        _, out, err = running.end()
    name = f"{first['key']}.trace"
    assert (tmp_path / "cache" / name).read_bytes() == (tmp_path / "elsewhere" / name).read_bytes()
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [
        data
        for data in (line.encode(), out.encode(), err.encode(), *written)
        if SECRET.encode() in data
    ]


def test_with_the_storage_down_clients_go_on(storage: FakeS3, tmp_path: Path) -> None:
    variables = settings(tmp_path)
    del variables["PHASIC_CACHE_SHARED_DIR"]
    variables |= {"PHASIC_CACHE_REMOTE_ENDPOINT": "http://127.0.0.1:9"}
    variables |= {"PHASIC_CACHE_DEADLINE_SECONDS": 2}
    with daemon(variables):
        got = obtain(variables, 4)
        assert (got["recorded"], got["kept"]) == (True, True)
        assert (tmp_path / "cache" / f"{got['key']}.trace").exists()


def test_ways_to_the_storage_have_to_be_the_same(storage: FakeS3, tmp_path: Path) -> None:
    variables = settings(tmp_path)
    del variables["PHASIC_CACHE_SHARED_DIR"]
    others = {
        "PHASIC_CACHE_REMOTE_ENDPOINT": storage.endpoint.replace("127.0.0.1", "localhost"),
        "PHASIC_CACHE_REMOTE_REGION": "eu-north-1",
    }
    with daemon(variables):
        for size, (name, value) in enumerate(others.items(), 4):
            got = obtain(variables | {name: value}, size)
            assert got["warnings"] == {"DAEMON_OTHER_CACHE": 1}
            assert (got["recorded"], got["kept"], got["issued"]) == (True, True, 1)
        assert len(storage.objects) == 2  # the clients saved them by themselves
        assert obtain(variables, 6)["warnings"] == {}
