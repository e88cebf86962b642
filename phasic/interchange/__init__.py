"""Models as files of other programs: read and written by the end of the file's name.

=================  =================================================  ==========================
`.csv`             edges, or matrices, by its header                  see `edge_csv`, `matrix_csv`
`.matrix.csv`      `alpha` and `S`, to write them as CSV              `matrix_csv`
`.json`            edges with states and names                        `edge_json`
`.msgpack`         the same, in binary                                `edge_msgpack`
`.npz`             `alpha`, `S` and states as NumPy arrays            `npz`
`.mtx`             `S` as Matrix Market, `alpha` in a file beside it  `matrix_market`
`.drn`             Storm's explicit format, with parameters           `drn`
`.tra`             PRISM's transitions, with `.lab`, `.sta` beside    `prism`
`.dot`             Graphviz, to write only                            `dot`
=================  =================================================  ==========================

Files are not trusted: numbers and indices are checked, sizes bounded before memory is taken,
nothing in them is run. What is wrong is a `FormatError` that names the file, the line and what was
expected. Graphs of the package NetworkX have functions of their own in `networkx_graphs`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, FormatError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ..graph import Graph

# The module that reads a format and the module that writes it. Longer ends come first.
_READERS = {
    ".csv": "csv_files",
    ".json": "edge_json",
    ".msgpack": "edge_msgpack",
    ".npz": "npz",
    ".mtx": "matrix_market",
    ".drn": "drn",
    ".tra": "prism",
}
_WRITERS = {
    ".matrix.csv": "matrix_csv",
    ".csv": "edge_csv",
    ".json": "edge_json",
    ".msgpack": "edge_msgpack",
    ".npz": "npz",
    ".mtx": "matrix_market",
    ".drn": "drn",
    ".tra": "prism",
    ".dot": "dot",
}
READABLE = tuple(_READERS)
WRITABLE = tuple(_WRITERS)
WITH_LABELS = (".drn", ".tra")
"""Formats that have labels of states, and rewards."""

__all__ = ["READABLE", "WITH_LABELS", "WRITABLE", "read", "read_rewards", "write"]


def read(
    path: str | os.PathLike[str], *, discrete: bool | None = None, target: str | None = None
) -> Graph:
    """The graph in a file.

    Args:
        path: a file that ends in one of `READABLE`.
        discrete: None: as the file says, and continuous where it says nothing.
        target: a label of states (`.drn`, `.tra`): the time ends on reaching one that has it.

    Raises:
        FormatError: there is no such file, its end is none of these, or something in it is wrong.
        GraphError: the numbers in it make no model.
        ConfigError: target is given and the format has no labels.

    Example:
        >>> import tempfile
        >>> from phasic.models import coalescent
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(coalescent.kingman(4), f"{folder}/kingman.json")
        ...     read(f"{folder}/kingman.json").at([1.0]).mean()
        1.5
    """
    suffix = _suffix(path, READABLE, "read")
    _check_file(path)
    options: dict[str, Any] = {"discrete": discrete}
    if target is not None:
        if suffix not in WITH_LABELS:
            raise ConfigError(
                f"{os.fspath(path)}: target is {target!r}, and {suffix} files have no labels",
                code="FILE_OPTION",
                hint=f"labels are in {' and '.join(WITH_LABELS)} files",
            )
        options["target"] = target
    graph: Graph = _module(_READERS[suffix]).read(os.fspath(path), **options)
    return graph


def read_rewards(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """The state rewards that stand in a model's file, or beside it.

    Args:
        path: a `.drn` or `.tra` file, as for `read`.

    Returns:
        For each name an array (n_vertices,) in the order of `read(path).states()`.

    Raises:
        FormatError: as for `read`, or there are rewards of transitions.

    Example:
        >>> import tempfile
        >>> from phasic.models import coalescent
        >>> graph = coalescent.kingman(3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = f"{folder}/kingman.drn"
        ...     write(graph, path, rewards={"lineages": graph.states()[:, 0]})
        ...     read_rewards(path)["lineages"].tolist()
        [0.0, 1.0, 2.0, 3.0]
    """
    suffix = _suffix(path, WITH_LABELS, "read rewards from")
    _check_file(path)
    rewards: dict[str, NDArray[Any]] = _module(_READERS[suffix]).read_rewards(os.fspath(path))
    return rewards


def write(
    graph: Graph,
    path: str | os.PathLike[str],
    *,
    theta: ArrayLike | None = None,
    rewards: Mapping[str, ArrayLike] | None = None,
) -> None:
    """Writes a graph.

    Args:
        graph: any.
        path: a file that ends in one of `WRITABLE`; what is there is replaced.
        theta: (n_parameters,): weights are written as numbers at theta. None: as they are, which
            graphs with parameters can be in edge lists, `.drn` and `.dot`.
        rewards: (n_vertices,) each, by name, for `.drn` and `.tra`.

    Raises:
        ConfigError: the end is none of these, or the format cannot hold what is given: parameters,
            rewards, or several vertices to start in.
        NumericError: theta does not fit.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from phasic.models import phase_types
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(phase_types.erlang(2), f"{folder}/erlang.csv")
        ...     print(Path(folder, "erlang.csv").read_text().splitlines()[1])
        source,target,base,rate
    """
    suffix = _suffix(path, WRITABLE, "write")
    options: dict[str, Any] = {"theta": theta}
    if rewards is not None:
        if suffix not in WITH_LABELS:
            raise ConfigError(
                f"{os.fspath(path)}: {suffix} files hold no rewards",
                code="FILE_OPTION",
                hint=f"{' and '.join(WITH_LABELS)} files do",
            )
        options["rewards"] = rewards
    _module(_WRITERS[suffix]).write(graph, os.fspath(path), **options)


def suffix_of(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> str | None:
    """The end of a file's name that is one of `suffixes`."""
    name = os.path.basename(os.fspath(path)).lower()
    return next((suffix for suffix in suffixes if name.endswith(suffix)), None)


def _suffix(path: str | os.PathLike[str], suffixes: tuple[str, ...], verb: str) -> str:
    suffix = suffix_of(path, suffixes)
    if suffix is None:
        raise ConfigError(
            f"cannot {verb} {os.fspath(path)}: its name ends in no known format",
            code="FILE_SUFFIX",
            hint=f"known are {', '.join(suffixes)}",
        )
    return suffix


def _check_file(path: str | os.PathLike[str]) -> None:
    if not os.path.isfile(path):
        raise FormatError(
            f"there is no file {os.fspath(path)}", code="FILE_NOT_FOUND", hint="check its name"
        )


def _module(name: str) -> Any:
    return import_module(f"{__name__}.{name}")
