"""Commands that start without the type machinery that they do not need.

Typer coerces every option that has no value yet, its own `--help` among them, and loads pydantic
for it: 0.1 s at each start. With a default the help option needs no coercion.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class QuickCommand(TyperCommand):
    """A command whose help option has a default."""

    def get_help_option(self, ctx: Any) -> Any:
        """The help option, off unless given."""
        return _off(super().get_help_option(ctx))


class QuickGroup(TyperGroup):
    """A group of commands whose help option has a default."""

    def get_help_option(self, ctx: Any) -> Any:
        """The help option, off unless given."""
        return _off(super().get_help_option(ctx))


def _off(option: Any) -> Any:
    if option is not None:
        option.default = False
    return option
