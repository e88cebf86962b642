"""`phasic cache export` and `import`: traces to and from a tar file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phasic.cli.exit_codes import ExitCode
from phasic.cli.options import JsonOption, KeysArgument, TierOption
from phasic.cli.results import Fields, Result, Table


def export_entries(
    context: typer.Context,
    keys: KeysArgument = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The tar file to write. Needed."),
    ] = None,
    tier: TierOption = "local",
    as_json: JsonOption = False,
) -> Result:
    """Write traces of the cache to a tar file, for another machine or for keeping.

    \b
    Examples:
      phasic cache export -o traces.tar
      phasic cache export 3f2a90cc -o one.tar
    """
    from phasic.cache import archive
    from phasic.cli.errors import UsageError
    from phasic.cli.keys import no_such_key, whole_key
    from phasic.files import replacing
    from phasic.trace_stores import trace_directory

    if output is None:
        raise UsageError(
            "an archive needs a file to go to", code="USAGE", hint="name it with -o FILE"
        )
    directory = trace_directory(tier)
    entries = {entry.key: entry for entry in directory.entries()}
    asked = [whole_key(key, tier) for key in keys or ()]
    for key in asked:
        if key not in entries:
            raise no_such_key(key, tier)
    chosen = [entries[key] for key in dict.fromkeys(asked)] if keys else list(entries.values())
    with replacing(output, "wb", durable=True) as stream:
        written = archive.export(directory, chosen, stream)
    fields = {
        "path": str(output),
        "exported": len(written),
        "bytes": sum(entry.n_bytes for entry in written),
    }
    return Result(Fields(fields))


def import_entries(
    context: typer.Context,
    archive_file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A tar file, as `phasic cache export` writes.")
    ],
    tier: TierOption = "local",
    as_json: JsonOption = False,
) -> Result:
    """Take the traces of a tar file into the cache, each after it is found to be whole.

    Prints for each member whether the cache has it now, and why not. Exits 1 if one was refused.

    \b
    Examples:
      phasic cache import traces.tar
    """
    from phasic.cache import archive
    from phasic.trace_stores import file_store

    with open(archive_file, "rb") as stream:
        found = list(archive.import_into(file_store(tier), stream))
    rows = [(item.name, item.kept, item.problem) for item in found]
    table = Table(("name", "kept", "problem"), rows, noun="trace in the archive")
    return Result(table, ExitCode.DONE if all(item.kept for item in found) else ExitCode.NO)
