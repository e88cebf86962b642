"""The compiled module and the package are one build."""

import phasic
from phasic._native import ffi, lib


def test_compiled_module_has_the_version_of_the_package() -> None:
    assert ffi.string(lib.phasic_built_version()).decode() == phasic.__version__
