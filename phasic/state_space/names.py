"""Names that users give to the entries of theta and of states."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import GraphError


def checked_names(names: Sequence[str] | None, what: str) -> tuple[str, ...] | None:
    """The names as a tuple; None where none are given.

    Args:
        names: identifiers, all different.
        what: the argument that they came in, for the message.

    Raises:
        GraphError: a name that is no identifier, or the same twice.
    """
    if names is None:
        return None
    if isinstance(names, str):
        _refuse(f"{what} is the text {names!r}")
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            _refuse(f"{what} has {name!r}, which is no identifier")
    if len(set(names)) < len(names):
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        _refuse(f"{what} has {twice!r} twice")
    return tuple(names)


def fitted_names(
    names: tuple[str, ...] | None, length: int, stem: str, what: str
) -> tuple[str, ...]:
    """The names of `length` entries; `stem` with a number from 1 on where none are given.

    Raises:
        GraphError: more or fewer names.
    """
    if names is None:
        return tuple(f"{stem}{k}" for k in range(1, length + 1))
    if len(names) != length:
        _refuse(f"{what} has {len(names)} names, and the graph {length} of what they name")
    return names


def _refuse(message: str) -> None:
    raise GraphError(
        message, code="NAMES", hint="names are a list of different identifiers, as in ['S', 'I']"
    )
