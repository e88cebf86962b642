"""The tree of commands with their options, as completion needs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

# Metavariables whose values are files, alone or among other things.
_FILES = ("FILE", "MODEL", "TRACE", "DATA", "OUT")


@dataclass(frozen=True)
class Parameter:
    """An option, or an argument, whose `names` are empty.

    Attributes:
        takes: what its value is called; "" for one that takes none.
        choices: the values it can have, where these are few.
        files: whether files are among its values.
    """

    names: tuple[str, ...]
    help: str
    takes: str
    choices: tuple[str, ...]
    files: bool


@dataclass(frozen=True)
class Node:
    """A command: its words after `phasic`, what it is, what may follow."""

    path: tuple[str, ...]
    help: str
    children: tuple[str, ...]
    options: tuple[Parameter, ...]
    arguments: tuple[Parameter, ...]

    @property
    def files(self) -> bool:
        """Whether an argument may be a file."""
        return any(argument.files for argument in self.arguments)

    @property
    def choices(self) -> tuple[str, ...]:
        """Values of the first argument, where these are few."""
        return self.arguments[0].choices if self.arguments else ()


def nodes(root: Any) -> list[Node]:
    """All commands below and with the one that Typer made of the table of commands."""
    return list(_walk(root, ()))


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[Node]:
    children = dict(getattr(command, "commands", {}))
    parameters = [_parameter(parameter, path) for parameter in command.params]
    help_option = Parameter(("-h", "--help"), "Show help and stop.", "", (), False)
    yield Node(
        path=path,
        help=command.short_help or "",
        children=tuple(children),
        options=(*(one for one in parameters if one.names), help_option),
        arguments=tuple(one for one in parameters if not one.names),
    )
    for name, child in children.items():
        yield from _walk(child, (*path, name))


def _parameter(parameter: Any, path: tuple[str, ...]) -> Parameter:
    is_option = parameter.param_type_name == "option"
    kind = parameter.type_descriptor.annotation
    takes = "" if is_option and parameter.is_flag else parameter.metavar or "VALUE"
    is_list = isinstance(kind, type) and issubclass(kind, Enum)
    choices = tuple(str(choice.value) for choice in kind) if is_list else ()
    if not is_option and takes == "KEY" and path[0] == "config":
        from phasic.config import KEYS

        choices = tuple(key.name for key in KEYS)
    return Parameter(
        names=tuple(sorted(parameter.opts, key=len)) if is_option else (),
        help=_first_sentence(parameter.help or ""),
        takes=takes,
        choices=choices,
        files=any(word in takes for word in _FILES),
    )


def _first_sentence(text: str) -> str:
    """Of a help text, on one line, without what stands in brackets behind it."""
    return " ".join(text.partition("  [")[0].split()).partition(". ")[0].rstrip(".")
