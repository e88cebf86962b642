"""Trials of the trace cache: many processes, deaths, full disks, damage, limits.

``python -m cache_trials NAME [COUNT] [planted]`` runs one, prints its counts, and ends with 1 where
a promise was broken. With `planted` the cache has a bug that the trial must find.
"""
