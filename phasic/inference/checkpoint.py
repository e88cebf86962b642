"""A fit on disk, so that a killed job goes on where it was: one .npz file, written atomically.

Its entry `header` is JSON (UTF-8 bytes): a format tag and the problem it belongs to. All else are
arrays: the leaves of the state, `state_0` and so on, and the history. Nothing is pickled. It is
written beside its place, flushed to the disk and moved there, so the file is whole at any time.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError
from ..files import replacing
from ..npy import read_array

FORMAT = "phasic-svgd/1"
Arrays = dict[str, NDArray[Any]]

# What zipfile, zlib, json and `read_array` raise of damaged bytes; RuntimeError: of encrypted ones.
_DAMAGE = (
    *(ValueError, KeyError, TypeError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)


def save(path: str | os.PathLike[str], problem: Mapping[str, Any], arrays: Arrays) -> None:
    """Writes a checkpoint in place of an earlier one.

    Raises:
        OSError: it cannot be written; the earlier one is as it was.
    """
    header = json.dumps({"format": FORMAT, "problem": problem}, sort_keys=True).encode()
    with replacing(path, "wb", durable=True) as stream:
        np.savez(
            stream, allow_pickle=False, **{"header": np.frombuffer(header, np.uint8)}, **arrays
        )


def load(
    path: str | os.PathLike[str], problem: Mapping[str, Any], needed: Iterable[str]
) -> Arrays | None:
    """The arrays of a checkpoint, those that are `needed` among them; None: there is no such file.

    Raises:
        FormatError: the file is no checkpoint, or one of another problem.
        OSError: it cannot be read.
    """
    place = Path(path)
    if not place.exists():
        return None
    try:
        with zipfile.ZipFile(place) as archive:
            arrays = {
                name.removesuffix(".npy"): _array(archive, name) for name in archive.namelist()
            }
        header = json.loads(arrays.pop("header").tobytes())
        found = header["problem"] if header["format"] == FORMAT else None
    except OSError:
        raise  # it may be a checkpoint, and cannot be read now
    except _DAMAGE as error:
        raise _no_checkpoint(place, f"{type(error).__name__}: {error}") from error
    if found is None:
        raise _no_checkpoint(place, f"its format is {header['format']!r}, expected {FORMAT}")
    missing = set(needed) - set(arrays)
    if not isinstance(found, dict) or missing:
        raise _no_checkpoint(place, f"it lacks {min(missing, default='the problem')}")
    wanted = json.loads(json.dumps(problem))
    different = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    if different:
        name = different[0]
        more = f"; {', '.join(different[1:])} too" if different[1:] else ""
        raise other(
            path, f"{name} is {found.get(name)!r} there and {wanted.get(name)!r} here{more}"
        )
    return arrays


def other(path: str | os.PathLike[str], why: str) -> FormatError:
    """The error of a checkpoint that does not fit."""
    return FormatError(
        f"checkpoint {os.fspath(path)} is of another problem: {why}",
        code="CHECKPOINT_OTHER",
        hint="name another file, or remove this one to begin anew",
    )


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as stream:
        return read_array(stream)


def _no_checkpoint(place: Path, why: str) -> FormatError:
    return FormatError(
        f"{place} is no checkpoint ({why})",
        code="CHECKPOINT_INVALID",
        hint="name another file, or remove this one to begin anew",
    )
