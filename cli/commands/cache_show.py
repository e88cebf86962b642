"""`phasic cache show`: one trace in the cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from phasic.cli.options import AnyTierOption, JsonOption, KeyArgument
from phasic.cli.results import Fields, Json, Result
from phasic.cli.times import utc

if TYPE_CHECKING:
    from phasic.trace_stores import DirectoryTier


def show(
    context: typer.Context,
    key: KeyArgument,
    tier: AnyTierOption = "local",
    as_json: JsonOption = False,
) -> Result:
    """One trace in the cache, once it is found to be whole: its file, uses, size and model.

    A damaged one is an error and stays where it is; `phasic cache verify` moves such aside.

    \b
    Examples:
      phasic cache show 3f2a90cc
      phasic cache show 3f2a90cc --json
    """
    from phasic.cli.keys import no_such_key, whole_key
    from phasic.trace_stores import file_remote, file_store

    whole = whole_key(key, tier)
    look = file_remote().look if tier == "remote" else file_store(tier).look
    trace, problem = look(whole)
    if problem is not None:
        raise problem
    if trace is None:
        raise no_such_key(key, tier)
    numbers = trace.meta
    fields = {
        "key": whole,
        "content_hash": trace.hashes[0].hex(),
        "bytes": trace.n_bytes,
        **(_object(whole) if tier == "remote" else _file(whole, tier)),
        "kind": "discrete" if numbers["kind"] else "continuous",
        "vertices": numbers["n_vertices"],
        "edges": numbers["n_edges"],
        "parameters": numbers["n_parameters"],
        "state_length": numbers["state_length"],
        "components": numbers["n_components"],
        "multiply_adds": numbers["multiply_adds"],
    }
    return Result(Fields(fields))


def _file(key: str, tier: DirectoryTier) -> dict[str, Json]:
    from phasic.cache import access, pins
    from phasic.cache.directory import PACKED
    from phasic.cli.keys import no_such_key
    from phasic.trace_stores import trace_directory

    directory = trace_directory(tier)
    path = directory.found_path(key)
    if path is None:
        raise no_such_key(key, tier)
    used = access.last_uses(directory).get(key)
    return {
        "path": path,
        "compressed": os.stat(path).st_size if path.endswith(PACKED) else None,
        "written": utc(os.stat(path).st_mtime),
        "used": None if used is None else utc(used),
        "pinned": key in pins.pinned(directory),
    }


def _object(key: str) -> dict[str, Json]:
    from phasic.trace_stores import file_remote

    entry = next(file_remote().entries(key))
    return {"path": entry.path, "compressed": entry.n_bytes, "written": utc(entry.modified)}
