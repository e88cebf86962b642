"""The only Python that touches C: handles over the objects of `ptd.h`, one `check`, array views.

Importing this package loads the compiled module and no numpy; `views`, and what uses it, does.
"""

from pathlib import Path

from .._version import __version__
from ..errors import DependencyError, InternalError

try:
    from phasic._native import ffi, lib
except ModuleNotFoundError as error:
    raise DependencyError(
        f"{Path(__file__).parents[1]} is the source of phasic, without its compiled engine",
        code="ENGINE_MISSING",
        hint="start Python in another directory than that of the source, which hides the installed "
        "phasic; `pip install .` installs it",
    ) from error

_built = ffi.string(lib.phasic_built_version()).decode()
if _built != __version__:
    raise InternalError(
        f"the compiled module is version {_built}, the package {__version__}",
        code="VERSION_MISMATCH",
        hint="install phasic again, so that both come from one build",
    )

__all__ = ["ffi", "lib"]
