"""`phasic cache pin` and `unpin`: traces that stay whatever the limits are."""

from __future__ import annotations

from typing import Annotated

import typer

from phasic.cli.options import JsonOption, TierOption
from phasic.cli.results import Result, Table

_Keys = Annotated[
    list[str],
    typer.Argument(
        metavar="KEY...", help="Keys of cached traces, or their first 8 digits or more."
    ),
]


def pin(
    context: typer.Context, keys: _Keys, tier: TierOption = "local", as_json: JsonOption = False
) -> Result:
    """Keep traces whatever the limits of the cache are; `clear` leaves them too.

    Prints each key and whether it is newly pinned.

    \b
    Examples:
      phasic cache pin 3f2a90cc
      phasic record model.py | xargs phasic cache pin
    """
    from phasic.cache import pins
    from phasic.cli.keys import no_such_key, whole_key
    from phasic.trace_stores import trace_directory

    directory = trace_directory(tier)
    whole = [whole_key(key, tier) for key in keys]
    for key in whole:
        if directory.found_path(key) is None:
            raise no_such_key(key, tier)
    rows = [(key, pins.pin(directory, key)) for key in whole]
    return Result(Table(("key", "newly_pinned"), rows, noun="key"))


def unpin(
    context: typer.Context, keys: _Keys, tier: TierOption = "local", as_json: JsonOption = False
) -> Result:
    """Let traces go again when limits say so. Prints each key and whether it was pinned.

    \b
    Examples:
      phasic cache unpin 3f2a90cc
    """
    from phasic.cache import pins
    from phasic.cli.keys import whole_key
    from phasic.trace_stores import trace_directory

    directory = trace_directory(tier)
    rows = [(key, pins.unpin(directory, key)) for key in (whole_key(key, tier) for key in keys)]
    return Result(Table(("key", "was_pinned"), rows, noun="key"))
