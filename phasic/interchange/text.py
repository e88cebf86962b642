"""Text files, line by line: bounded, decoded, with errors that name the line.

A line is at most 1 MiB. Numbers are those of JSON and C; names of NaN and infinity are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

from .. import config
from ..errors import FormatError

_LONGEST = 1 << 20
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"\d{1,18}")
_SHOWN = 60


class Lines:
    """The lines of a file without their ends; `refuse` is about the one that was read last."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        with open(self.path, "rb") as stream:
            while raw := stream.readline(_LONGEST + 1):
                self.number += 1
                if len(raw) > _LONGEST:
                    self.refuse("a line of more than 1 MiB", "shorter lines")
                # Some programs begin a file with a mark of its encoding.
                encoding = "utf-8-sig" if self.number == 1 else "utf-8"
                try:
                    yield raw.decode(encoding).rstrip("\r\n")
                except UnicodeDecodeError:
                    self.refuse("bytes that are no UTF-8", "text")

    def refuse(self, found: str, expected: str) -> NoReturn:
        """A FormatError at this line."""
        raise FormatError(
            f"{self.path}, line {self.number}: found {found}, expected {expected}",
            code="FILE_FORMAT",
            hint="the line may have been cut, or the file be of another format",
        )

    def end(self, expected: str) -> NoReturn:
        """A FormatError at the end of the file."""
        raise FormatError(
            f"{self.path} ends after line {self.number}, expected {expected}",
            code="FILE_FORMAT",
            hint="was the file written to its end?",
        )

    def number_of(self, text: str, what: str) -> float:
        """A finite float."""
        if not _NUMBER.fullmatch(text):
            self.refuse(shown(text), f"{what}, a number")
        value = float(text)
        if value in (float("inf"), float("-inf")):
            self.refuse(shown(text), f"{what}, a number within the range of floats")
        return value

    def whole(self, text: str, what: str) -> int:
        """A whole number of at least 0, with at most 18 digits."""
        if not _WHOLE.fullmatch(text):
            self.refuse(shown(text), f"{what}, a whole number")
        return int(text)

    def vertex(self, text: str, count: int, what: str = "a state") -> int:
        """A whole number below `count`."""
        number = self.whole(text, what)
        if number >= count:
            self.refuse(f"{what} {number}", f"one of 0 to {count - 1}")
        return number

    def size(self, text: str, what: str) -> int:
        """How many there are to come: at least 1, and not more than may be."""
        number = self.whole(text, what)
        most = config.get_int("max_vertices")
        if not 1 <= number <= most:
            self.refuse(
                f"{number:,} as {what}",
                f"1 to {most:,} (the bound is max_vertices, PHASIC_MAX_VERTICES)",
            )
        return number


def is_number(text: str) -> bool:
    """Whether `number_of` would take it, or find it too large."""
    return _NUMBER.fullmatch(text) is not None


def shown(text: str) -> str:
    """Text as it stands in a message."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
