"""A trial in namespaces of its own: what it starts and mounts ends with it, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys

from .tools import NotInstalled, need

ADDRESS = "10.0.0.1"
_INSIDE = "CACHE_TRIALS_INSIDE"


def enter(arguments: list[str]) -> None:
    """Starts this module of trials again as the first process of namespaces, unless it is."""
    need("unshare", "ip")
    if _INSIDE in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        # Resolvers take a machine with none but the loop's address for one without network.
        subprocess.run(["ip", "address", "add", ADDRESS, "dev", "lo"], check=True)
        return
    apart = ["--pid", "--mount", "--uts", "--net", "--fork", "--kill-child", "--mount-proc"]
    tried = subprocess.run(["unshare", *apart, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise NotInstalled(f"no namespaces: {tried.stderr.strip()}")
    os.environ[_INSIDE] = "1"
    command = ["unshare", *apart, sys.executable, "-m", "cache_trials.machines", *arguments]
    os.execvp(command[0], command)
