"""What the exit status of a command means."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of every command."""

    DONE = 0
    NO = 1
    """A bad model, bad data, or the answer is no."""
    USAGE = 2
    """The command line or the configuration is wrong."""
    ENVIRONMENT = 3
    """Disk, lock, daemon, a package that is not installed."""
    BUG = 70
    INTERRUPTED = 130
