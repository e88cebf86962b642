"""The remote cache and the leases among machines, where they are configured."""

from __future__ import annotations

from collections.abc import Iterator

from phasic.cli.checks.finding import Finding, ok, problem
from phasic.errors import CacheError, ConfigError, DependencyError


def check_remote() -> Iterator[Finding]:
    """Whether they can be asked."""
    from phasic.trace_stores import file_remote, leases, tiers, where

    try:
        is_configured, among = "remote" in tiers(), leases()
    except ConfigError:
        return  # the settings say so
    except DependencyError as error:
        yield problem("leases", error.message, error.hint or "")
        return
    if is_configured:
        try:
            found = list(file_remote().entries())
        except (CacheError, DependencyError) as error:
            yield problem("remote cache", error.message, error.hint or "")
        else:
            size = sum(entry.n_bytes for entry in found)
            yield ok("remote cache", f"{where('remote')}, {len(found):,} traces, {size:,} bytes")
    if among is not None:
        trouble = among.problem()
        if trouble is None:
            yield ok("leases", f"{among.url} answers")
        else:
            yield problem("leases", trouble, among.hint)
