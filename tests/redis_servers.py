"""A Redis of the test's own, on a socket in its directory."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = shutil.which("redis-server")


@contextmanager
def serving(folder: Path, *options: Path) -> Iterator[str]:
    """Its URL, for as long as the block lasts. `options` is a configuration file, if any."""
    socket = folder / "redis"  # a socket's path is short
    assert SERVER is not None
    settings = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with subprocess.Popen([SERVER, *options, *settings], stdout=subprocess.DEVNULL) as process:
        try:
            ends = time.monotonic() + 20
            while not socket.exists():
                assert process.poll() is None
                assert time.monotonic() < ends
                time.sleep(0.02)
            yield f"unix://{socket}"
        finally:
            process.kill()
    socket.unlink(missing_ok=True)
