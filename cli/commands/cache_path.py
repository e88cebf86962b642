"""`phasic cache path`: where the cache or one of its traces lies."""

from __future__ import annotations

from typing import Annotated

import typer

from phasic.cli.options import AnyTierOption, JsonOption
from phasic.cli.results import Result, Value


def path(
    context: typer.Context,
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="[KEY]", help="The key of a cached trace, or its first 8 digits or more."
        ),
    ] = None,
    tier: AnyTierOption = "local",
    as_json: JsonOption = False,
) -> Result:
    """The directory of the cache, which need not exist; with KEY the file of that trace.

    Of the remote cache its URL; with KEY that of the object, which need not exist.

    \b
    Examples:
      phasic cache path
      du -sh "$(phasic cache path)"
      phasic cache path KEY
    """
    from phasic.cli.keys import no_such_key, whole_key
    from phasic.trace_stores import file_remote, trace_directory, where

    if tier == "remote":
        url = where(tier) if key is None else file_remote().url_of(whole_key(key, tier))
        return Result(Value("path", url))
    directory = trace_directory(tier)
    if key is None:
        return Result(Value("path", directory.path))
    found = directory.found_path(whole_key(key, tier))
    if found is None:
        raise no_such_key(key, tier)
    return Result(Value("path", found))
