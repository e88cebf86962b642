"""Files written whole or not at all: what the system says against it names the file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from cli_runner import phasic
from phasic.cli.exit_codes import ExitCode
from phasic.files import check_writable, replacing

KINGMAN = ("phasic.models.coalescent:kingman", "--arg", "n=3", "--theta", "1")
WRITERS = [
    ("report", *KINGMAN, "-o", "out.html"),
    ("plot", *KINGMAN, "-o", "out.png"),
    *(
        ("convert", *KINGMAN[:1], f"out.{end}", *KINGMAN[1:])
        for end in ("csv", "npz", "mtx", "drn")
    ),
]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.mark.parametrize("arguments", WRITERS, ids=lambda given: f"{given[0]} {given[-1]}")
def test_commands_name_the_file_and_the_reason(arguments, monkeypatch):
    """A full disk; the system's error of a write names no file."""
    (name,) = (word for word in arguments if word.startswith("out."))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    outcome = phasic(*arguments)
    assert outcome.code == ExitCode.ENVIRONMENT
    assert outcome.err.startswith(f"error[OPERATING_SYSTEM]: {name}: No space left on device\n")
    assert os.listdir() == []


@pytest.mark.parametrize("arguments", WRITERS, ids=lambda given: f"{given[0]} {given[-1]}")
def test_a_directory_in_the_place_is_named(arguments):
    (name,) = (word for word in arguments if word.startswith("out."))
    os.mkdir(name)
    outcome = phasic(*arguments)
    assert outcome.code == ExitCode.ENVIRONMENT
    assert f"{name}: Is a directory\n" in outcome.err
    assert os.listdir() == [name]


@pytest.mark.parametrize("write", [lambda path: replacing(path).__enter__(), check_writable])
def test_the_path_is_the_one_asked_for(write):
    with pytest.raises(FileNotFoundError) as raised:
        write("none/file.txt")
    assert raised.value.filename == "none/file.txt"
    assert raised.value.errno == errno.ENOENT


def test_an_error_about_another_file_stays_that():
    with pytest.raises(FileNotFoundError) as raised, replacing("out") as stream:
        stream.write(Path("other").read_text())
    assert raised.value.filename == "other"


def test_an_error_that_says_no_number_keeps_its_words():
    """As of numpy on a full disk."""
    with pytest.raises(OSError, match="8 requested and 2 written") as raised, replacing("out"):
        raise OSError("8 requested and 2 written")
    assert (raised.value.filename, raised.value.errno) == ("out", errno.EIO)


def test_a_full_disk_is_found_beforehand(monkeypatch):
    opened = open

    def full(path, mode):
        opened(path, mode).close()
        return opened("/dev/full", "wb")

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(OSError, match="No space left on device: 'out'"):
        check_writable("out")
    assert os.listdir() == []


def test_a_directory_is_found_beforehand():
    os.mkdir("folder")
    with pytest.raises(IsADirectoryError, match="folder"):
        check_writable("folder")


def test_what_is_there_is_left_by_the_check():
    np.save("there.npy", np.arange(3))
    check_writable("there.npy")
    assert np.load("there.npy").tolist() == [0, 1, 2]
