"""Keys of cached traces as users give them: whole, or their first digits."""

from __future__ import annotations

import re

from phasic.errors import FormatError

KEY = re.compile(r"[0-9a-f]{8,64}")
_KEY_LENGTH = 64


def whole_key(text: str) -> str:
    """The key that starts with `text`; a whole one is not looked up.

    Raises:
        FormatError: none or several in the cache do, or it is no key.
    """
    if not KEY.fullmatch(text):
        raise FormatError(
            f"{text!r} is no key",
            code="KEY_INVALID",
            hint="a key has 64 hexadecimal digits, of which the first 8 or more are enough",
        )
    if len(text) == _KEY_LENGTH:
        return text
    from phasic.trace_cache import trace_directory

    keys = [entry.key for entry in trace_directory().entries() if entry.key.startswith(text)]
    if len(keys) > 1:
        raise FormatError(
            f"{len(keys)} cached traces have keys that start with {text}",
            code="KEY_AMBIGUOUS",
            hint="`phasic cache list` shows them; give more digits",
        )
    if not keys:
        raise no_such_key(text)
    return keys[0]


def no_such_key(text: str) -> FormatError:
    """The error of a key that is not in the cache."""
    from phasic import config

    return FormatError(
        f"the cache in {config.get_str('cache_dir')} has no trace {text}",
        code="CACHE_MISS",
        hint="`phasic cache list` shows what there is; `phasic record MODEL` records",
    )
