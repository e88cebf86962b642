"""What JAX raises where a model refuses a theta: NaN, a negative rate, a tolerance not met.

Which exception that is depends on the status that the custom call returned.
"""

from __future__ import annotations

import jax

REFUSALS = (jax.errors.JaxRuntimeError, ValueError)
