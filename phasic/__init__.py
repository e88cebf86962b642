"""Phase-type distributions: record a model once, evaluate it for any theta."""

from ._version import __version__

__all__ = ["__version__"]
