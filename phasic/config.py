"""Configuration: one table of keys; each value knows where it comes from.

Sources, later ones win: the default, the configuration file, the environment (`PHASIC_<KEY>`), an
override by the program (`override`, used for command-line arguments). The file is TOML, at
`PHASIC_CONFIG_FILE`, else `$XDG_CONFIG_HOME/phasic/config.toml`, else
`~/.config/phasic/config.toml`. Nothing is read at import, so a changed environment is seen.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from .errors import ConfigError

Value = bool | int | float | str


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("expected 1 or 0")


def _at_least(least: int) -> Callable[[object], int]:
    def parse(raw: object) -> int:
        expected = f"expected a whole number of at least {least}"
        if isinstance(raw, bool) or not isinstance(raw, int | str):
            raise ValueError(expected)
        try:
            number = int(raw)
        except ValueError:
            raise ValueError(expected) from None
        if number < least:
            raise ValueError(expected)
        return number

    return parse


def _seconds(raw: object) -> float:
    expected = "expected a positive number of seconds"
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError(expected)
    try:
        number = float(raw)
    except ValueError:
        raise ValueError(expected) from None
    if not 0.0 < number < math.inf:
        raise ValueError(expected)
    return number


_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def _bytes(raw: object) -> int:
    text = str(raw).strip().upper()
    unit = _UNITS.get(text[-1:], 1)
    try:
        return _at_least(0)(text[:-1] if unit > 1 else text) * unit
    except ValueError:
        raise ValueError("expected a number of bytes, as in 20000000, 500M or 20G") from None


def _one_of(*choices: str) -> Callable[[object], str]:
    def parse(raw: object) -> str:
        if raw not in choices:
            raise ValueError(f"expected {', '.join(choices[:-1])} or {choices[-1]}")
        return str(raw)

    return parse


def _port(raw: object) -> int:
    try:
        number = _at_least(0)(raw)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 16:
        raise ValueError("expected a port, 1 to 65535, or 0 for none")
    return number


def _path(raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError("expected a path")
    return os.path.abspath(os.path.expanduser(raw))


def _path_or_none(raw: object) -> str:
    return "" if raw == "" else _path(raw)


class _Unshown(ValueError):
    """What is wrong with a value that may hold a password, so it is not repeated."""


_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w!.*'()/ -]*)?")
_DIRECTORY_URL = re.compile(r"file:///.*")
_HTTP = re.compile(r"https?://[\w.:\[\]-]+(/[\w.~/-]*)?")
_REDIS = re.compile(r"rediss?://[\w.:\[\]-]+(/\d*)?|unix:///[^?#@]+(\?db=\d+)?")


def _url(expected: str, *forms: re.Pattern[str]) -> Callable[[object], str]:
    def parse(raw: object) -> str:
        if raw == "":
            return ""
        if isinstance(raw, str) and "@" in raw:
            raise _Unshown(
                f"expected {expected}, without user and password (it is not repeated here)"
            )
        if not isinstance(raw, str) or not any(form.fullmatch(raw) for form in forms):
            raise _Unshown(f"expected {expected} (what was given is not repeated here)")
        return raw

    return parse


def _word(raw: object) -> str:
    if not isinstance(raw, str) or not re.fullmatch(r"[\w.-]*", raw):
        raise ValueError("expected letters, digits, dots and dashes")
    return raw


@dataclass(frozen=True)
class Key:
    """One row of the table: its name, default, how raw values are read, what it does."""

    name: str
    default: Value
    parse: Callable[[object], Value]
    meaning: str

    @property
    def variable(self) -> str:
        return f"PHASIC_{self.name.upper()}"


@dataclass(frozen=True)
class Setting:
    """A value and its source: `default`, the file's path, `environment` or `argument`."""

    key: str
    value: Value
    source: str
    meaning: str


KEYS: tuple[Key, ...] = (
    Key("cache_dir", "~/.phasic_cache/traces", _path, "where traces are kept"),
    Key("cache_shared_dir", "", _path_or_none, "a cache of many machines, behind cache_dir"),
    Key(
        "cache_deadline_seconds",
        30.0,
        _seconds,
        "longest wait for an answer of a cache behind cache_dir",
    ),
    Key(
        "cache_remote_url",
        "",
        _url("s3://bucket/prefix or file:///directory", _BUCKET, _DIRECTORY_URL),
        "a cache in object storage behind the others: s3://bucket/prefix",
    ),
    Key(
        "cache_remote_endpoint",
        "",
        _url("http://host:port or https://host:port", _HTTP),
        "of the object storage, where it is not Amazon's",
    ),
    Key("cache_remote_region", "", _word, "of the object storage"),
    Key(
        "cache_redis_url",
        "",
        _url("redis://host:port/0, rediss://host:port/0 or unix:///socket?db=0", _REDIS),
        "a Redis that keeps machines without a shared directory from recording the same",
    ),
    Key("cache_redis_user", "", _word, "who asks it"),
    Key(
        "cache_redis_password_file",
        "",
        _path_or_none,
        "where the password is, readable by its owner alone; else REDISCLI_AUTH",
    ),
    Key(
        "cache_write_behind",
        False,
        _boolean,
        "save in the caches behind cache_dir in the background",
    ),
    Key("cache_compress_bytes", 0, _bytes, "traces of so many bytes go compressed there; 0: never"),
    Key("cache_high_bytes", 0, _bytes, "bytes of traces that start a collection; 0: no limit"),
    Key("cache_low_bytes", 0, _bytes, "how far it goes; 0: nine tenths of cache_high_bytes"),
    Key("cache_max_age_days", 0, _at_least(0), "traces unused for longer go; 0: no limit"),
    Key("cache_min_free_bytes", 0, _bytes, "free space on the file system left to others"),
    Key("cache_lease_seconds", 10.0, _seconds, "a recording untouched for longer is abandoned"),
    Key("cache_wait_seconds", 300.0, _seconds, "longest wait for another's recording"),
    Key("state_dir", "~/.phasic_cache/state", _path, "where the cache's counters are kept"),
    Key(
        "daemon",
        "auto",
        _one_of("auto", "off", "require"),
        "auto: go through the daemon where one is; off: never; require: fail without it",
    ),
    Key("daemon_dir", "", _path_or_none, "its socket; empty: in XDG_RUNTIME_DIR or state_dir"),
    Key("daemon_idle_seconds", 3600, _at_least(0), "it ends after so long unused; 0: never"),
    Key("daemon_metrics_port", 0, _port, "loopback port of its Prometheus metrics; 0: none"),
    Key("disable_cache", False, _boolean, "neither read nor write traces"),
    Key("disable_auto_trace", False, _boolean, "never record by itself: evaluation fails instead"),
    Key("debug", False, _boolean, "say on stderr what is looked up, recorded and saved"),
    Key("max_vertices", 1_000_000, _at_least(1), "bound of explored state spaces"),
    Key("max_trace_bytes", 4 << 30, _at_least(1), "bound of a trace's size in bytes"),
    Key("threads", 0, _at_least(0), "threads of an evaluation; 0: one a processor"),
)
_BY_NAME = {key.name: key for key in KEYS}
_overrides: ContextVar[Mapping[str, Value] | None] = ContextVar("phasic_overrides", default=None)
_file_cache: dict[str, tuple[tuple[int, int], dict[str, object]]] = {}


def config_file() -> Path:
    """The configuration file that would be read, whether it exists or not."""
    named = os.environ.get("PHASIC_CONFIG_FILE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(base) / "phasic" / "config.toml"


def _read_file(path: str) -> dict[str, object]:
    # Few have such a file, and the parser takes longer to load than all else here.
    import tomllib

    with open(path, "rb") as stream:
        try:
            return tomllib.load(stream)
        except tomllib.TOMLDecodeError as error:
            raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"configuration file {path} cannot be read: {error}",
        code="CONFIG_FILE",
        hint="mend it or remove it; it is TOML, one line a key",
    )


def _file_values() -> tuple[str, dict[str, object]]:
    path = str(config_file())
    try:
        status = os.stat(path)
        signature = (status.st_mtime_ns, status.st_size)
        cached = _file_cache.get(path)
        if cached is None or cached[0] != signature:
            cached = (signature, _read_file(path))
    except FileNotFoundError:
        return path, {}
    except OSError as error:
        raise _unreadable(path, error) from error
    unknown = sorted(set(cached[1]) - set(_BY_NAME))
    if unknown:
        raise ConfigError(
            f"configuration file {path} has the unknown key {unknown[0]!r}",
            code="CONFIG_UNKNOWN_KEY",
            hint=f"known keys: {', '.join(_BY_NAME)}",
        )
    _file_cache[path] = cached
    return path, cached[1]


def parse(key: Key, raw: object, source: str) -> Value:
    """The value that `raw` from `source` means.

    Raises:
        ConfigError: the key cannot have it.
    """
    try:
        return key.parse(raw)
    except ValueError as error:
        place = key.variable if source == "environment" else f"{key.name} ({source})"
        shown = "" if isinstance(error, _Unshown) else f" is {raw!r}"
        raise ConfigError(
            f"{place}{shown}: {error}",
            code="CONFIG_VALUE",
            hint="give such a value, or none for the default",
        ) from error


def key_of(name: str) -> Key:
    """The row of the table.

    Raises:
        ConfigError: no such key.
    """
    key = _BY_NAME.get(name)
    if key is None:
        from difflib import get_close_matches

        near = get_close_matches(name, _BY_NAME)
        raise ConfigError(
            f"no configuration key {name!r}",
            code="CONFIG_UNKNOWN_KEY",
            hint=f"did you mean {' or '.join(near)}?" if near else f"keys: {', '.join(_BY_NAME)}",
        )
    return key


def setting(name: str) -> Setting:
    """The value of one key with its source.

    Raises:
        ConfigError: no such key, or its value cannot be read.

    Example:
        >>> from phasic import config
        >>> config.setting("max_vertices").source
        'default'
    """
    key = key_of(name)
    overrides = _overrides.get() or {}
    if name in overrides:
        return Setting(name, parse(key, overrides[name], "argument"), "argument", key.meaning)
    raw: object = os.environ.get(key.variable)
    if raw:
        return Setting(name, parse(key, raw, "environment"), "environment", key.meaning)
    path, values = _file_values()
    if name in values:
        return Setting(name, parse(key, values[name], path), path, key.meaning)
    return Setting(name, parse(key, key.default, "default"), "default", key.meaning)


def settings() -> list[Setting]:
    """All keys with their values and sources, in the order of the table."""
    return [setting(key.name) for key in KEYS]


def get_bool(name: str) -> bool:
    return bool(setting(name).value)


def get_int(name: str) -> int:
    return int(setting(name).value)


def get_float(name: str) -> float:
    return float(setting(name).value)


def get_str(name: str) -> str:
    return str(setting(name).value)


@contextmanager
def override(**values: Value) -> Iterator[None]:
    """Within the block the given keys have the given values (source `argument`).

    Example:
        >>> from phasic import config
        >>> with config.override(max_vertices=10):
        ...     config.get_int("max_vertices")
        10
    """
    token = _overrides.set({**(_overrides.get() or {}), **values})
    try:
        yield
    finally:
        _overrides.reset(token)
