"""Particles for ArviZ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DependencyError


def to_arviz(particles: NDArray[np.float64]) -> Any:
    """One chain with the particles (n, theta_dim) as draws of `theta`.

    Particles are no chain: ArviZ's summaries, intervals and pictures hold, its R-hat and
    autocorrelations mean nothing.

    Raises:
        DependencyError: ArviZ is not installed.
    """
    try:
        import arviz
    except ImportError as error:
        raise DependencyError(
            "inference data need ArviZ, which is not installed",
            code="ARVIZ_MISSING",
            hint="pip install 'phasic[inference]'",
        ) from error
    return arviz.convert_to_inference_data({"theta": particles[np.newaxis]})
