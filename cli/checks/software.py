"""Python, phasic and the packages that it uses."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata

from phasic._version import __version__
from phasic.cli.checks.finding import Finding, ok, problem

_OLDEST = (3, 11)
_NEEDED = ("numpy", "cffi", "msgpack", "typer", "rich", "jax", "jaxlib", "optax")
_EXTRAS = {
    "plot": ("matplotlib",),
    "inference": ("arviz", "blackjax"),
    "networkx": ("networkx",),
}


def check_software() -> Iterator[Finding]:
    """Versions; what is missing and how to have it."""
    python = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"
    if sys.version_info < _OLDEST:
        yield problem("Python", python, "phasic needs Python 3.11 or later")
    else:
        yield ok("Python", python)
    yield ok("phasic", f"{__version__}, {__file__.partition('/cli/')[0]}")
    for name in _NEEDED:
        version = version_of(name)
        if version is None:
            yield problem(name, "not installed", f"pip install {name}")
        else:
            yield ok(name, version)
    for extra, names in _EXTRAS.items():
        for name in names:
            version = version_of(name)
            yield ok(name, version or f"not installed; pip install 'phasic[{extra}]' brings it")


def version_of(name: str) -> str | None:
    """The version of an installed package, which is not imported for it."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
