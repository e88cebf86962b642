"""The version, for the package, the compiled module and the wheel."""

__version__ = "0.1.0"
