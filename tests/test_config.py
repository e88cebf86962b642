"""Configuration: which source wins, and what is said of a bad value."""

from __future__ import annotations

from pathlib import Path

import pytest

from phasic import config
from phasic.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setenv("PHASIC_CONFIG_FILE", str(path))
    return path


def test_later_sources_win(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.setting("max_vertices").source == "default"
    assert config.get_int("max_vertices") == 1_000_000
    file.write_text("max_vertices = 10\n")
    assert (config.get_int("max_vertices"), config.setting("max_vertices").source) == (
        10,
        str(file),
    )
    monkeypatch.setenv("PHASIC_MAX_VERTICES", "20")
    assert (config.get_int("max_vertices"), config.setting("max_vertices").source) == (
        20,
        "environment",
    )
    with config.override(max_vertices=30):
        assert (config.get_int("max_vertices"), config.setting("max_vertices").source) == (
            30,
            "argument",
        )
    assert config.get_int("max_vertices") == 20


def test_the_file_is_found_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".config" / "phasic" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("debug = true\n")
    assert config.config_file() == path
    assert config.get_bool("debug")


def test_the_default_cache_is_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHASIC_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config.get_str("cache_dir") == str(tmp_path / ".phasic_cache" / "traces")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("yes", True), ("ON", True), ("0", False), ("false", False), ("", False)],
)
def test_switches(text: str, value: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASIC_DEBUG", text)
    assert config.get_bool("debug") is value


@pytest.mark.parametrize(
    ("key", "text"),
    [("debug", "maybe"), ("max_vertices", "0"), ("max_vertices", "many"), ("threads", "-1")],
)
def test_a_bad_value_names_its_variable(
    key: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"PHASIC_{key.upper()}", text)
    with pytest.raises(ConfigError, match=rf"PHASIC_{key.upper()} is '{text}'"):
        config.setting(key)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1\n", "unknown key 'colour'"),
        ("max_vertices = [1]\n", r"max_vertices \(.*config.toml\) is \[1\]"),
        ("max_vertices\n", "cannot be read"),
    ],
)
def test_a_bad_file_is_named(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        config.setting("max_vertices")


def test_every_key_is_listed_with_its_source() -> None:
    listed = {setting.key: setting.source for setting in config.settings()}
    assert listed.keys() == {key.name for key in config.KEYS}
    assert listed["cache_dir"] == "environment"
    assert listed["debug"] == "default"


def test_no_such_key() -> None:
    with pytest.raises(ConfigError, match="no configuration key 'colour'"):
        config.setting("colour")
