"""Makes the engine's handlers known to XLA, once a process, at the first use of a model."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import jax

from .._engine import lib, xla
from ..errors import DependencyError

_STATE = "phasic_state"


@cache
def register() -> None:
    """Registers type and handlers; a version that does not fit is found before anything is told.

    Raises:
        DependencyError: this JAX speaks another version of XLA's interface than was built against.
    """
    _check_version(_runtime_version(), xla.version())

    def capsule(what: int) -> object:
        return jax.ffi.pycapsule(xla.address(what))

    jax.ffi.register_ffi_type(
        _STATE,
        {
            "type_id": capsule(lib.PHASIC_XLA_STATE_TYPE),
            "type_info": capsule(lib.PHASIC_XLA_STATE_INFO),
        },
        platform="cpu",
    )
    for name, handler in xla.HANDLERS.items():
        jax.ffi.register_ffi_target(
            name,
            {
                "instantiate": capsule(lib.PHASIC_XLA_INSTANTIATE),
                "execute": capsule(handler),
            },
            platform="cpu",
        )
        jax.ffi.register_ffi_target_as_batch_partitionable(name)


def _runtime_version() -> tuple[int, int]:
    """What the installed jaxlib speaks, from the header that comes with it."""
    header = Path(jax.ffi.include_dir(), "xla", "ffi", "api", "c_api.h").read_text()
    major, minor = (
        int(re.findall(rf"#define XLA_FFI_API_{part} (\d+)", header)[0])
        for part in ("MAJOR", "MINOR")
    )
    return major, minor


def _check_version(runtime: tuple[int, int], built: tuple[int, int]) -> None:
    if runtime[0] != built[0] or runtime[1] < built[1]:
        raise DependencyError(
            f"phasic was built for version {built[0]}.{built[1]} of XLA's foreign function "
            f"interface, and JAX {jax.__version__} has {runtime[0]}.{runtime[1]}",
            code="JAX_VERSION",
            hint="install a JAX in the range that phasic asks for: pip install 'jax>=0.10,<0.11'",
        )
