"""`phasic cache show`: one trace in the cache."""

from __future__ import annotations

import os

import typer

from phasic.cli.options import JsonOption, KeyArgument, TierOption
from phasic.cli.results import Fields, Result
from phasic.cli.times import utc


def show(
    context: typer.Context,
    key: KeyArgument,
    tier: TierOption = "local",
    as_json: JsonOption = False,
) -> Result:
    """One trace in the cache, once it is found to be whole: its file, uses, size and model.

    A damaged one is an error and stays where it is; `phasic cache verify` moves such aside.

    \b
    Examples:
      phasic cache show 3f2a90cc
      phasic cache show 3f2a90cc --json
    """
    from phasic.cache import access, pins
    from phasic.cache.directory import PACKED
    from phasic.cli.keys import no_such_key, whole_key
    from phasic.trace_cache import file_store

    store = file_store(tier)
    whole = whole_key(key, tier)
    trace, problem = store.look(whole)
    if problem is not None:
        raise problem
    if trace is None:
        raise no_such_key(key, tier)
    directory = store.directory
    path = directory.found_path(whole)
    if path is None:
        raise no_such_key(key, tier)
    used = access.last_uses(directory).get(whole)
    numbers = trace.meta
    fields = {
        "key": whole,
        "path": path,
        "content_hash": trace.hashes[0].hex(),
        "bytes": trace.n_bytes,
        "compressed": os.stat(path).st_size if path.endswith(PACKED) else None,
        "written": utc(os.stat(path).st_mtime),
        "used": None if used is None else utc(used),
        "pinned": whole in pins.pinned(directory),
        "kind": "discrete" if numbers["kind"] else "continuous",
        "vertices": numbers["n_vertices"],
        "edges": numbers["n_edges"],
        "parameters": numbers["n_parameters"],
        "state_length": numbers["state_length"],
        "components": numbers["n_components"],
        "multiply_adds": numbers["multiply_adds"],
    }
    return Result(Fields(fields))
