"""The directory of a tier that a command is about, once it is known to be there and to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phasic.cache.directory import CacheDirectory
    from phasic.trace_stores import DirectoryTier


def tier_directory(tier: DirectoryTier) -> CacheDirectory:
    """The directory of the traces of a tier.

    A local one need not exist. A shared one that is not there is no empty cache: its mount may be
    late.

    Raises:
        CacheError: the shared directory is not there or does not answer.
        ConfigError: there is no such tier, or it is the local directory too.
    """
    from phasic.trace_stores import file_store

    store = file_store(tier)
    store.reach(store.directory.status)
    return store.directory
