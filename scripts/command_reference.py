"""The command reference of the guide, made of the commands' own help.

python scripts/command_reference.py > docs/commands.md
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer.main

from phasic.cli.app import app

_HEAD = """\
# Command reference

Every command and option, as `--help` has them. `scripts/command_reference.py` makes this page, and
a test compares the two.
"""


def reference() -> str:
    return "\n".join([_HEAD, *_commands(typer.main.get_command(app), None, "phasic")])


def _commands(command: Any, parent: Any, name: str) -> Iterator[str]:
    settings = command.context_settings
    context = command.context_class(command, info_name=name, parent=parent, **settings)
    pieces = (piece.strip("{}") for piece in command.collect_usage_pieces(context))
    usage = " ".join([context.command_path, *pieces])
    yield f"## {context.command_path}\n\n```text\n{re.sub(r'[{}]', '', usage)}\n```\n"
    yield from _help(command.help)
    yield from _table(command, context)
    for child_name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, context, child_name)


def _help(text: str) -> Iterator[str]:
    """Paragraphs as they are; those after a backspace, whose lines count, as blocks."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            title, _, rest = paragraph.removeprefix("\b\n").partition("\n")
            if title.endswith(":"):
                yield f"{title}\n\n```text\n{inspect.cleandoc('  ' + rest.lstrip())}\n```\n"
            else:
                yield f"```text\n{title}\n{rest}\n```\n"
        else:
            yield f"{_plain(paragraph)}\n"


def _table(command: Any, context: Any) -> Iterator[str]:
    rows = []
    for parameter in command.get_params(context):
        names, text = parameter.get_help_record(context)
        rows.append(f"| `{_cell(names.removesuffix(' <str>'))}` | {_cell(_plain(text))} |")
    yield "\n".join(["| argument or option | meaning |", "| :-- | :-- |", *rows]) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _plain(text: str) -> str:
    """Text of the terminal as Markdown: what would be markup is escaped outside of `code`."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([*_<>\[\]$])", r"\\\1", part) for part in parts
    )


if __name__ == "__main__":
    print(reference(), end="")
