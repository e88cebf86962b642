"""Priors as text: `gamma(2,1)`, `lognormal(0,1)`, `beta(1,1)`, `normal(0,10)`, `uniform(0,5)`,
`dirichlet(1,1,1)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..errors import ConfigError
from .priors import Beta, Dirichlet, Gamma, LogNormal, Normal, Prior, Uniform

_NAMES: Mapping[str, tuple[Callable[..., Prior], int | None]] = {
    "gamma": (Gamma, 2),
    "lognormal": (LogNormal, 2),
    "beta": (Beta, 2),
    "normal": (Normal, 2),
    "uniform": (Uniform, 2),
    "dirichlet": (Dirichlet, None),
}


def parse_prior(text: str) -> Prior:
    """The prior that a text names.

    Raises:
        ConfigError: it names none, or its numbers do not fit.

    Example:
        >>> from phasic.inference import parse_prior
        >>> parse_prior("gamma(2, 0.5)")
        Gamma(shape=2.0, rate=0.5)
    """
    hint = "as in gamma(2,1), lognormal(0,1), beta(1,1), normal(0,10), uniform(0,5), dirichlet(1,1)"
    match = re.fullmatch(r"\s*(\w+)\s*\(([^()]*)\)\s*", text)
    if match is None or match[1].lower() not in _NAMES:
        raise ConfigError(f"{text!r} is no prior", code="PRIOR_INVALID", hint=hint)
    make, count = _NAMES[match[1].lower()]
    try:
        numbers = [float(part) for part in match[2].split(",")]
    except ValueError:
        raise ConfigError(f"{text!r} has no numbers", code="PRIOR_INVALID", hint=hint) from None
    if count is not None and len(numbers) != count:
        raise ConfigError(
            f"{text!r} has {len(numbers)} numbers, expected {count}",
            code="PRIOR_INVALID",
            hint=hint,
        )
    return make(*numbers)
