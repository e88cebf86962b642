"""The guide as pages of HTML, with Sphinx; warnings are errors. Its examples are the tests' affair,
but for those that draw its figures.
"""

from __future__ import annotations

from checks.commands import BUILD, ROOT
from checks.sandbox import Sandbox
from checks.suite import variables


def pages(sandbox: Sandbox) -> None:
    command = ["python", "-m", "sphinx", "-W", "--keep-going", "-q", "-E"]
    sandbox.run([*command, ROOT / "docs", BUILD / "docs"], extra=variables(None))
