"""Models as JAX functions: a trace in jit, grad, vmap, pmap and shard_map.

Only this package and `phasic.inference` import JAX. A call goes from XLA to the engine in C
(`engine_c/xla`), without Python on the way.

    models      what users get from a graph
    likelihood  the log-likelihood of fixed data
    primitive   an evaluation as a primitive of JAX, with its rules
    slopes      derivatives in times
    questions   what is asked of the engine, by key
    partition   how lanes are cut over devices
    targets     the engine's handlers made known to XLA
    devices     what JAX runs on
"""

from .likelihood import Likelihood
from .models import DensityModel, JointModel, MomentsModel

__all__ = ["DensityModel", "JointModel", "Likelihood", "MomentsModel"]
