"""What users install: an sdist that holds all that builds and tests, and a wheel made of it, with
licence and type hints, one binary for all Pythons, whose command works in a new environment.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from checks.commands import BUILD, ROOT, CheckFailed, run
from checks.sandbox import Sandbox

_MODEL = """\
def model(state):
    if state.size == 0:
        return [([5], 1.0, [0.0])]
    k = int(state[0])
    return [([k - 1], 0.0, [k * (k - 1) / 2])] if k > 1 else []
"""
# Of a clone, what an sdist has no use for.
_LEFT_OUT = (".ci/", ".gitignore")
_BUILD_SDIST = (
    "from scikit_build_core.build import build_sdist; import sys; build_sdist(sys.argv[1])"
)


def build_and_use(sandbox: Sandbox) -> None:
    """From the working tree to a command that runs in a new environment, without a flag."""
    folder = BUILD / "packages"
    shutil.rmtree(folder, ignore_errors=True)
    sandbox.run(["python", "-c", _BUILD_SDIST, folder])
    [sdist] = folder.glob("*.tar.gz")
    check_sdist(sdist)
    pip = ["python", "-m", "pip", "--disable-pip-version-check"]
    sandbox.run([*pip, "wheel", "--quiet", "--no-deps", f"--wheel-dir={folder}", sdist])
    [wheel] = folder.glob("*.whl")
    check_wheel(wheel)
    with tempfile.TemporaryDirectory() as place:
        use(wheel, Path(place))


def check_sdist(sdist: Path) -> None:
    """Raises CheckFailed unless it holds every tracked file."""
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    tracked = {name for name in listed.stdout.split("\0") if name}
    missing = sorted(name for name in tracked - held if not name.startswith(_LEFT_OUT))
    if missing:
        raise CheckFailed(f"{sdist.name} lacks {len(missing)} files: {', '.join(missing[:5])}")


def check_wheel(wheel: Path) -> None:
    """Raises CheckFailed unless it is one binary for all Pythons, typed, with its licence."""
    if "-cp311-abi3-" not in wheel.name:
        raise CheckFailed(f"{wheel.name} is not for the stable interface of Python 3.11")
    with zipfile.ZipFile(wheel) as archive:
        held = archive.namelist()
    for wanted in ("phasic/py.typed", "phasic/cli/app.py", "/licenses/LICENSE"):
        if not any(name.endswith(wanted) for name in held):
            raise CheckFailed(f"{wheel.name} lacks {wanted}")
    strangers = {name.partition("/")[0] for name in held} - {"phasic"}
    if any(not name.endswith(".dist-info") for name in strangers):
        raise CheckFailed(f"{wheel.name} also installs {sorted(strangers)}")


def use(wheel: Path, place: Path) -> None:
    """A new environment, and the first commands of a new user in it."""
    run([sys.executable, "-m", "venv", place / "venv"])
    pip = [place / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "install", "--quiet", wheel])
    (place / "model.py").write_text(_MODEL)
    phasic = place / "venv" / "bin" / "phasic"
    home = {"HOME": str(place)}
    for command in (
        ["--version"],
        ["record", "model.py"],
        ["evaluate", "model.py", "--theta", "1.0", "--moments", "1"],
        ["doctor"],
    ):
        run([phasic, *command], directory=place, extra=home)
