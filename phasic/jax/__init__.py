"""Models as JAX functions: a trace in jit, grad, vmap, pmap and shard_map.

Only this package and `phasic.inference` import JAX. A call goes from XLA to the engine in C
(`engine_c/xla`), without Python on the way.

    models       what users get from a graph
    likelihood   the log-likelihood of fixed data
    derivatives  the engine's functions with derivatives in theta and in times
    calls        one evaluation as XLA's custom call
    targets      the custom calls made known to XLA
"""

from .likelihood import Likelihood
from .models import DensityModel, JointModel, MomentsModel

__all__ = ["DensityModel", "JointModel", "Likelihood", "MomentsModel"]
