"""Fitting models to data, with JAX: posteriors by particles, and point estimates.

This file is the table of contents. `README.md` beside it is a map.
"""

from .bijectors import Interval, Positive, Real, Simplex
from .estimates import PointEstimate
from .fit import SVGD
from .map import maximum_a_posteriori
from .mle import maximum_likelihood
from .moment_matching import method_of_moments
from .observations import Observations
from .posterior import Posterior
from .posterior_density import LogPosterior, log_posterior
from .precision import double_precision
from .prior_text import parse_prior
from .priors import Beta, Dirichlet, Flat, Gamma, LogNormal, Normal, Uniform
from .stein import Kernel

__all__ = [
    "SVGD",
    "Beta",
    "Dirichlet",
    "Flat",
    "Gamma",
    "Interval",
    "Kernel",
    "LogNormal",
    "LogPosterior",
    "Normal",
    "Observations",
    "PointEstimate",
    "Positive",
    "Posterior",
    "Real",
    "Simplex",
    "Uniform",
    "double_precision",
    "log_posterior",
    "maximum_a_posteriori",
    "maximum_likelihood",
    "method_of_moments",
    "parse_prior",
]
