"""Keys of cached traces as users give them: whole, or their first digits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from phasic.errors import FormatError

if TYPE_CHECKING:
    from phasic.trace_stores import Tier

KEY = re.compile(r"[0-9a-f]{8,64}")
_KEY_LENGTH = 64


def whole_key(text: str, *tiers: Tier) -> str:
    """The key that starts with `text` in the first tier that has one; a whole one is not sought.

    Raises:
        FormatError: none or several in the cache do, or it is no key.
        CacheError: a tier had to be asked and cannot be read.
    """
    if not KEY.fullmatch(text):
        raise FormatError(
            f"{text!r} is no key",
            code="KEY_INVALID",
            hint="a key has 64 hexadecimal digits, of which the first 8 or more are enough",
        )
    if len(text) == _KEY_LENGTH:
        return text
    for tier in tiers:
        keys = _keys_that_start(text, tier)
        if len(keys) > 1:
            raise FormatError(
                f"{len(keys)} cached traces have keys that start with {text}",
                code="KEY_AMBIGUOUS",
                hint="`phasic cache list` shows them; give more digits",
            )
        if keys:
            return keys[0]
    raise no_such_key(text, *tiers)


def no_such_key(text: str, *tiers: Tier) -> FormatError:
    """The error of a key that none of the tiers has."""
    from phasic.trace_stores import where

    places = " and in ".join(map(where, tiers))
    return FormatError(
        f"the cache in {places} has no trace {text}",
        code="CACHE_MISS",
        hint="`phasic cache list` shows what there is; `phasic record MODEL` records",
    )


def _keys_that_start(text: str, tier: Tier) -> list[str]:
    from phasic.trace_stores import file_remote, file_store

    if tier == "remote":
        return [entry.key for entry in file_remote().entries(text)]
    store = file_store(tier)
    entries = store.reach(store.directory.entries)
    return [entry.key for entry in entries if entry.key.startswith(text)]
