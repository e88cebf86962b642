"""The only Python that touches C: handles over the objects of `ptd.h`, one `check`, array views.

Importing this package loads the compiled module and no numpy; `views`, and what uses it, does.
"""

from phasic._native import ffi, lib

from .._version import __version__
from ..errors import InternalError

_built = ffi.string(lib.phasic_built_version()).decode()
if _built != __version__:
    raise InternalError(
        f"the compiled module is version {_built}, the package {__version__}",
        code="VERSION_MISMATCH",
        hint="install phasic again, so that both come from one build",
    )

__all__ = ["ffi", "lib"]
