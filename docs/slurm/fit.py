"""One fit by all processes of a SLURM job: each moves its share of the particles."""

import sys

import jax
import numpy as np

from phasic.inference import SVGD, Gamma
from phasic.models import coalescent

jax.config.update("jax_enable_x64", True)
jax.distributed.initialize()  # JAX sees from SLURM's variables who the others are

data = np.loadtxt(sys.argv[1])
posterior = SVGD(
    coalescent.kingman(10),
    data,
    prior=Gamma(2, 1),
    n_particles=200,
    devices=jax.devices(),  # of all processes
    checkpoint="fit.npz",
).fit()
if jax.process_index() == 0:
    print(len(jax.devices()), "devices, mean", posterior.mean.round(3), "sd", posterior.sd.round(3))
