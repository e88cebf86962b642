"""`phasic completion`: a script that makes a shell complete commands, options and values."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Result, Value


class Shell(StrEnum):
    """Which shell."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
    as_json: JsonOption = False,
) -> Result:
    """Print a script that completes commands, options, their values and files on Tab.

    Source it where the shell starts, or keep it where the shell looks; its first lines say where.

    \b
    Examples:
      phasic completion bash >> ~/.bash_completion
      phasic completion zsh > ~/.zfunc/_phasic
      phasic completion fish > ~/.config/fish/completions/phasic.fish
    """
    from typer.main import get_command

    from phasic.cli.app import app
    from phasic.cli.command_tree import nodes
    from phasic.cli.completion import SCRIPTS

    script = SCRIPTS[str(shell)](nodes(get_command(app)))
    return Result(Value("script", script, {"shell": str(shell)}))
