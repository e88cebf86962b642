"""`phasic config`: each setting with its value and where that comes from; changing the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phasic.cli.errors import UsageError
from phasic.cli.options import JsonOption
from phasic.cli.results import Fields, Result, Table, Value
from phasic.cli.session import session_of

if TYPE_CHECKING:
    from phasic import config

NameArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="A key of `phasic config list`, as in cache_dir.")
]


def list_settings(context: typer.Context, as_json: JsonOption = False) -> Result:
    """All settings: key, value, source and meaning.

    The source is default, the configuration file, or environment (PHASIC_ and the key in capitals);
    later ones win. The file is PHASIC_CONFIG_FILE, else phasic/config.toml in XDG_CONFIG_HOME or
    ~/.config.

    \b
    Examples:
      phasic config list
      phasic config list --json
      PHASIC_THREADS=4 phasic config list | grep environment
    """
    from phasic import config

    path = config.config_file()
    session_of(context).note(f"file: {path}" + ("" if path.exists() else " (there is none yet)"))
    rows = [(one.key, one.value, one.source, one.meaning) for one in config.settings()]
    return Result(Table(("key", "value", "source", "meaning"), rows, noun="setting"))


def get(context: typer.Context, key: NameArgument, as_json: JsonOption = False) -> Result:
    """The value of one setting; with --json also its source and meaning.

    \b
    Examples:
      phasic config get cache_dir
      phasic config get threads --json
    """
    from phasic import config

    one = config.setting(key)
    return Result(Value("text", _text(one.value), _details(one)))


def set_value(
    context: typer.Context,
    key: NameArgument,
    value: Annotated[
        str | None,
        typer.Argument(metavar="VALUE", help="As in 4, 20G, true or ~/traces.", show_default=False),
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Take the key out of the file instead.")
    ] = False,
    as_json: JsonOption = False,
) -> Result:
    """Write one setting to the configuration file, which is made if there is none.

    Its other lines stay as they are. A value that the key cannot have is refused. Where the
    environment has another value, that still wins, which is said.

    \b
    Examples:
      phasic config set threads 4
      phasic config set cache_high_bytes 20G
      phasic config set cache_dir /scratch/traces
      phasic config set threads --default
    """
    from phasic import config
    from phasic.cli import config_file
    from phasic.errors import warn

    if default == (value is not None):
        raise UsageError(
            "set takes either a value or --default",
            code="USAGE",
            hint=f"as in `phasic config set {key} VALUE`",
        )
    path = config.config_file()
    known = config.key_of(key)
    kept = None if value is None else _kept(known, value)
    changed = config_file.change(path, key, kept)
    one = config.setting(key)
    if one.source == "environment":
        warn("CONFIG_OVERRIDDEN", f"{known.variable} is set in the environment and wins")
    return Result(Fields({"file": str(path), "changed": changed, **_details(one)}))


def _kept(key: config.Key, text: str) -> bool | int | float | str:
    """What the file is to hold: paths do not depend on where we are, sizes keep their unit."""
    from phasic import config

    value = config.parse(key, text, "argument")
    if isinstance(value, str):
        return text if text.startswith("~") else os.path.abspath(text)
    if isinstance(value, bool | float):
        return value
    return int(text) if text.strip().isdigit() else text.strip()


def _details(one: config.Setting) -> dict[str, Any]:
    return {"key": one.key, "value": one.value, "source": one.source, "meaning": one.meaning}


def _text(value: config.Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
