"""Runs the examples of a Markdown page, as a reader would: block after block, in one directory.

`python` blocks share one namespace. What one prints is what stands behind `# ` on its lines that
begin with `print(`; where there is none, what the `text` block next after it holds. In `console`
blocks lines after `$ ` are commands for one bash, those after `> ` go on with them, the others are
what they print (nothing: whatever they print). `...` stands for any text, and one space is as good
as another. A block with a caption, `{code-block}` and `:caption: NAME`, is the file NAME, and one
that includes a file, `{literalinclude}`, is that file.

    python scripts/examples.py PAGE DIRECTORY
"""

from __future__ import annotations

import contextlib
import doctest
import importlib.util
import io
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>\{[\w-]+\}|\w*) *(?P<argument>\S*)\n"
    r"(?P<options>(?::\w+:.*\n)*)\n*(?P<text>(?:.*\n)*?)(?P=fence)$",
    re.MULTILINE,
)
_SHOWN = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)
_LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_SECONDS = 300


class ExampleFailed(Exception):
    """An example does something else than its page says."""


@dataclass(frozen=True)
class Block:
    """A fenced block: `language` as in python; `file` is the name of the file that it is, or ""."""

    language: str
    text: str
    line: int
    file: str = ""


def blocks(page: Path) -> list[Block]:
    return list(_blocks(page.read_text(), page.parent))


def _blocks(text: str, folder: Path) -> Iterator[Block]:
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        caption = re.search(r"^:caption: *(.*)$", match["options"], re.MULTILINE)
        if match["language"] == "{literalinclude}":
            source = folder / match["argument"]
            yield Block("", source.read_text(), line, source.name)
        elif match["language"] == "{code-block}":
            yield Block(match["argument"], match["text"], line, caption[1] if caption else "")
        else:
            yield Block(match["language"], match["text"], line)


def run(page: Path, directory: Path) -> int:
    """Runs all examples of a page; how many there were.

    Raises:
        ExampleFailed: one prints something else, or a command fails.
    """
    sys.path.insert(0, str(directory))  # as where Python is started in it
    number = 0
    names: dict[str, Any] = {"__name__": "__main__"}
    end = Block("", "", 0)
    for block, after in pairwise([*blocks(page), end]):
        place = f"{page.name}, line {block.line}"
        if block.file:
            (directory / block.file).write_text(block.text)
        elif block.language == "python":
            printed = _printed_by(block.text, place, names, directory)
            shown = _SHOWN.findall(block.text)
            wanted = "\n".join(shown) if shown else after.text if after.language == "text" else ""
            _compare(wanted, printed, place)
        elif block.language == "console":
            commands = list(_commands(block.text))
            outputs = shell([command for command, _ in commands], directory, place)
            for (_, wanted), printed in zip(commands, outputs, strict=True):
                if wanted:
                    _compare(wanted, printed, place)
        else:
            continue
        number += 1
    return number


def _printed_by(code: str, place: str, names: dict[str, Any], directory: Path) -> str:
    printed = io.StringIO()
    # As many lines before it as in the page, so that tracebacks name the page's line.
    source = "\n" * int(place.rpartition(" ")[2]) + code
    with contextlib.chdir(directory), contextlib.redirect_stdout(printed):
        exec(compile(source, place.partition(",")[0], "exec"), names)
    return printed.getvalue()


def _commands(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        first, *lines = part.splitlines()
        length = next((k for k, line in enumerate(lines) if line[:2] != "> "), len(lines))
        more = [line[2:] for line in lines[:length]]
        yield "\n".join([first, *more]), "\n".join(lines[length:])


def shell(commands: Sequence[str], directory: Path, place: str = "") -> list[str]:
    """What each of some commands for one bash writes to stdout and stderr.

    Raises:
        ExampleFailed: one fails.
    """
    between = f"---{secrets.token_hex(8)}---"
    script = "".join(f"{command}\nprintf '%s' '{between}'\n" for command in commands)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=directory,
        env=_environment(directory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    *outputs, rest = done.stdout.split(between)
    if done.returncode:
        command = commands[min(len(outputs), len(commands) - 1)]
        raise ExampleFailed(f"{place}: {command}\nended with {done.returncode}:\n{rest}")
    return outputs


def _environment(directory: Path) -> dict[str, str]:
    """A home in the directory, this Python's `python` and `phasic` first, and this phasic."""
    tools = directory / ".tools"
    if not tools.exists():
        tools.mkdir()
        for name, start in ("python", ""), ("phasic", " -m phasic.cli"):
            (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{start} "$@"\n')
            (tools / name).chmod(0o755)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PHASIC_")}
    for name in "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "PYTHONSAFEPATH":
        kept.pop(name, None)
    # Matplotlib's list of fonts takes seconds to make.
    kept.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    phasic = importlib.util.find_spec("phasic")
    assert phasic is not None
    assert phasic.origin is not None
    return kept | {
        "HOME": str(directory / "home"),
        "PHASIC_DAEMON_IDLE_SECONDS": "30",  # one that a broken example leaves ends by itself
        "PATH": f"{tools}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "PYTHONPATH": str(Path(phasic.origin).parents[1]),
    }


def _compare(wanted: str, printed: str, place: str) -> None:
    example = doctest.Example("", wanted.rstrip() + "\n" if wanted.strip() else "")
    printed = printed.rstrip() + "\n" if printed.strip() else ""
    checker = doctest.OutputChecker()
    if not checker.check_output(example.want, printed, _LENIENT):
        difference = checker.output_difference(example, printed, doctest.REPORT_NDIFF)
        raise ExampleFailed(f"{place} prints something else:\n{difference}")


def trial(page: Path, directory: Path) -> None:
    """Runs all examples of a page in a process of their own, where warnings are errors.

    Raises:
        ExampleFailed: one does something else than the page says.
    """
    command = [sys.executable, "-W", "error", __file__, str(page.resolve()), str(directory)]
    done = subprocess.run(
        command,
        env=_environment(directory),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ExampleFailed(done.stdout)


def main(page: str, directory: str) -> int:
    try:
        number = run(Path(page), Path(directory))
    except ExampleFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"{number} examples")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
