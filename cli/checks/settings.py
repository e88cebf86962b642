"""The configuration: whether it can be read, and what is set where."""

from __future__ import annotations

from collections.abc import Iterator

from phasic import config
from phasic.cli.checks.finding import Finding, ok, problem
from phasic.errors import ConfigError


def check_settings() -> Iterator[Finding]:
    """One finding for each value that cannot be read, else one that names what is set."""
    path = str(config.config_file())
    settings, wrong = [], {}
    for key in config.KEYS:
        try:
            settings.append(config.setting(key.name))
        except ConfigError as error:
            wrong[error.message] = error.hint or ""
    for message, hint in wrong.items():
        yield problem("configuration", message, hint)
    if wrong:
        return
    changed = [f"{one.key} ({one.source})" for one in settings if one.source != "default"]
    yield ok("configuration", f"{path}; set: {', '.join(changed) or 'nothing'}")
