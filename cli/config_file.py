"""One key of the configuration file written or taken out; its other lines stay as they are.

The file is flat TOML (`phasic.config` refuses anything else), so a key is one line. What comes out
is read back before it takes the place of the file.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from phasic.errors import ConfigError
from phasic.files import replacing


def change(path: Path, key: str, value: bool | int | float | str | None) -> bool:
    """Writes `key = value`, or takes the key out (None); whether the file had to change.

    Raises:
        ConfigError: the file is no such TOML, or the key is in it over several lines.
        OSError: it cannot be read or written.
    """
    path = path.resolve()  # a link stays one
    try:
        text = path.read_bytes().decode()
        held = tomllib.loads(text)
    except FileNotFoundError:
        text, held = "", {}
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _by_hand(path, str(error)) from error
    wanted = {name: item for name, item in held.items() if name != key}
    if value is not None:
        wanted[key] = value
    if wanted == held and type(held.get(key)) is type(value):
        return False
    changed = _replaced(text, key, None if value is None else f"{key} = {_toml(value)}")
    try:
        read_back = tomllib.loads(changed)
    except tomllib.TOMLDecodeError as error:
        raise _by_hand(path, f"{key} is in it over several lines") from error
    if read_back != wanted:
        raise _by_hand(path, f"{key} is in it in a form of its own")
    _write(path, changed)
    return True


def _by_hand(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"configuration file {path} cannot be changed: {why}",
        code="CONFIG_FILE",
        hint="mend it by hand or remove it; it is TOML, one line a key",
    )


def _replaced(text: str, key: str, line: str | None) -> str:
    pattern = re.compile(rf"""\s*(["']?){key}\1\s*=""")
    lines = text.splitlines()
    places = [number for number, old in enumerate(lines) if pattern.match(old)]
    if places and line is not None:
        lines[places[0]] = line
    elif places:
        del lines[places[0]]
    elif line is not None:
        lines.append(line)
    return "".join(f"{kept}\n" for kept in lines)


def _toml(value: bool | int | float | str) -> str:
    """JSON's strings, numbers and truth values are TOML's too, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write(path: Path, text: str) -> None:
    """Whole or not at all: other processes read it at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, durable=True) as stream:
        stream.write(text)
