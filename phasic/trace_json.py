"""A trace as JSON: its meta numbers and arrays by name. Numbers survive exactly."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ._engine.stored_trace import ARRAY_NAMES, META_NAMES
from ._engine.trace import TraceHandle
from .errors import FormatError

FORMAT = "phasic-trace/1"
_AGAIN = "write it again with trace.to_json()"


def dump(trace: TraceHandle) -> str:
    """JSON text of a trace."""
    content, key = trace.hashes
    return json.dumps(
        {
            "format": FORMAT,
            "key": key.hex(),
            "content": content.hex(),
            "meta": trace.meta,
            "arrays": {name: trace.array(name).tolist() for name in ARRAY_NAMES},
        },
        allow_nan=False,
    )


def parse(text: str) -> TraceHandle:
    """From such a text; all data are validated, and the key worked out again.

    Raises:
        FormatError: what is missing or wrong.
    """
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise FormatError(f"this is no JSON: {error}", code="FORMAT_JSON", hint=_AGAIN) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FormatError(
            f"this JSON is not of the format {FORMAT!r}", code="FORMAT_JSON", hint=_AGAIN
        )
    meta = _part(document, "meta", META_NAMES)
    arrays = _part(document, "arrays", ARRAY_NAMES)
    try:
        trace = TraceHandle.from_arrays(
            {name: int(meta[name]) for name in META_NAMES},
            {name: np.array(arrays[name]) for name in ARRAY_NAMES},
        )
    except FormatError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        message = f"an array or number is malformed: {error}"
        raise FormatError(message, code="FORMAT_JSON", hint=_AGAIN) from error
    if document.get("key") != trace.hashes[1].hex():
        raise FormatError(
            "the key in the JSON is not that of its data", code="FORMAT_KEY", hint=_AGAIN
        )
    return trace


def _part(document: dict[str, object], name: str, fields: tuple[str, ...]) -> dict[str, Any]:
    part = document.get(name)
    if not isinstance(part, dict):
        raise FormatError(f"the JSON has no {name!r}", code="FORMAT_JSON", hint=_AGAIN)
    missing = [field for field in fields if field not in part]
    if missing:
        raise FormatError(
            f"{name!r} in the JSON lacks {missing[0]!r}", code="FORMAT_JSON", hint=_AGAIN
        )
    return part
