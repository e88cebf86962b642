"""`alpha` and `S` as NumPy's `.npz`: the arrays `alpha` (m,), `S` (m, m), and, if there are any,
`states` (m, state_length) and `discrete` ().

The arrays are read here and not by `numpy.load`, so that nothing is unpickled whatever a file
says, and no memory is taken for an array before its size is compared with what is there.
"""

from __future__ import annotations

import zipfile
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import FormatError
from ..files import replacing
from ..graph import Graph
from ..npy import read_array
from .matrix_pair import LARGEST, Pair, check_rows, graph_of, pair_of

_ARRAYS = ("alpha", "S", "states", "discrete")
_MOST_BYTES = 8 * LARGEST * LARGEST + 4096


def read(path: str, *, discrete: bool | None) -> Graph:
    """The graph of an `.npz` file.

    Raises:
        FormatError: which array is missing or wrong.
        GraphError: the matrices are not those of a phase-type distribution.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {
                name: _array(path, archive, name)
                for name in _ARRAYS
                if f"{name}.npy" in archive.namelist()
            }
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        _refuse(path, f"no archive that can be read ({error})", "what numpy.savez writes")
    for name in ("alpha", "S"):
        if name not in arrays:
            _refuse(path, f"no array {name}", "arrays alpha and S")
    alpha, matrix = arrays["alpha"].astype(np.float64), arrays["S"].astype(np.float64)
    if alpha.ndim != 1 or matrix.shape != (alpha.size, alpha.size):
        _refuse(path, f"alpha {alpha.shape} and S {matrix.shape}", "shapes (m,) and (m, m)")
    check_rows(path, alpha.size)
    says = None
    if "discrete" in arrays:
        if arrays["discrete"].shape != ():
            _refuse(path, f"discrete of shape {arrays['discrete'].shape}", "one truth value")
        says = bool(arrays["discrete"])
    states = arrays.get("states")
    if states is not None and states.dtype.kind not in "iu":
        _refuse(path, f"states of {states.dtype}", "whole numbers")
    whole = None if states is None else states.astype(np.int64)
    return graph_of(path, Pair(alpha, matrix, whole, says), discrete)


def _array(path: str, archive: zipfile.ZipFile, name: str) -> NDArray[np.generic]:
    size = archive.getinfo(f"{name}.npy").file_size
    if size > _MOST_BYTES:
        _refuse(path, f"{size:,} bytes of {name}", f"at most {_MOST_BYTES:,}")
    with archive.open(f"{name}.npy") as stream:
        try:
            array = read_array(stream)
        except ValueError as error:
            _refuse(path, f"no array {name} that can be read ({error})", "what numpy.savez writes")
    if array.dtype.kind not in "biuf":
        _refuse(path, f"{name} of {array.dtype}", "numbers")
    return array


def _refuse(path: str, found: str, expected: str) -> NoReturn:
    raise FormatError(
        f"{path}: found {found}, expected {expected}",
        code="FILE_FORMAT",
        hint="numpy.savez(path, alpha=alpha, S=S) writes such a file",
    )


def write(graph: Graph, path: str, *, theta: ArrayLike | None) -> None:
    """Writes the matrices of a graph, with its states."""
    alpha, matrix, states, discrete = pair_of(graph, theta, path)
    arrays = {"alpha": alpha, "S": matrix, "discrete": np.array(discrete)}
    if states is not None:
        arrays["states"] = states
    with replacing(path, "wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
