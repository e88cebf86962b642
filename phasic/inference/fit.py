"""`SVGD`: fits a posterior by particles, from the arguments to the result.

The loop around `svgd.advance`: it places particles, goes on in pieces, stops where something is not
finite or nothing moves any more, reports, and keeps checkpoints.

Why the defaults: particles move in unconstrained coordinates whitened by the Laplace approximation
(`whitening.py`), where every posterior looks about standard normal, so one step size fits all; the
kernel has a linear part (`stein.py`), which gets means and standard deviations right with few
particles; the step is plain gradient descent whose size falls to 0 as a cosine, and no coordinate
moves more than a third of a standard deviation at once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import warn
from ..files import check_writable
from . import checkpoint as checkpoints
from .arguments import Optimizer, as_kernel, as_optimizer, as_start, check_count, check_tolerance
from .flow import Flow
from .modes import draw_mixture, find_modes
from .observations import as_data_sets
from .parameters import PriorArgument, TransformArgument
from .placement import Placement
from .posterior import Posterior
from .posterior_density import log_posterior
from .progress import Progress, as_progress
from .regularisation import moment_penalty
from .starts import draws
from .stein import Kernel
from .svgd import State
from .whitening import Whitening, by_mode, by_prior

Values = NDArray[np.float64]

_SNAPSHOTS = 50
# What a checkpoint holds beside the leaves of the state.
_KEPT = ("centre", "scale", "log_density", "updates", "thetas", "iterations")


class SVGD:
    """Stein variational gradient descent (Liu & Wang 2016) on a model's posterior.

    Args:
        model: a Graph, a model with `logpdf`, a function `(theta, times)` that returns densities;
            or a list of them, one a data set.
        observed_data: times (n,), (n, n_features) with rewards, `Observations`, or a list of data
            sets, independent given theta.
        theta_dim: length of theta, where the model does not say it.
        n_particles: how many; 100 to 200 give means and standard deviations to a few percent.
        n_iterations: steps.
        prior: one for all parameters, a list of them, or a function of theta that returns a log
            density; None: lognormal(0, 3), which favours no unit of time much, and uniform(0, 1)
            for discrete models.
        transform: "positive", "unit" or "real", what theta may be, for priors that are functions.
        fixed: entries of theta that do not move, {index: value}.
        rewards: (n_vertices,) or (n_vertices, n_features), what was observed in place of time.
        optimizer: an optax optimiser; or a step size or schedule for clipped gradient descent.
        kernel: see `Kernel`.
        regularization: weight of a penalty on moments that differ from the data's, 0: none; see
            `moment_penalty`.
        nr_moments: moments in that penalty.
        minibatch: observations that each step looks at; None: all. The step size must then fall.
        start: "laplace", "prior" (see `whitening`), or thetas (n_particles, theta_dim).
        tolerance: early stop: end when the root mean square of the direction, in whitened
            coordinates, where 1 is a posterior standard deviation, is below it; None: never.
        seed: of the starting particles and minibatches.
        progress: True: a bar where stderr is a terminal; or a function of steps done and in all.
        checkpoint: a file in which the fit is kept, and from which it goes on if it is there. All
            processes must see it.
        every: steps from one checkpoint to the next.
        devices: over which particles are spread, those of all processes; None: the default one.

    Raises:
        ConfigError: what is given does not go together.
        NumericError: the data are not valid.

    Example:
        >>> import jax
        >>> jax.config.update("jax_enable_x64", True)
        >>> from phasic.inference import SVGD, Gamma
        >>> from phasic.models import coalescent
        >>> data = [1.0, 3.0, 2.0, 1.0]
        >>> posterior = SVGD(coalescent.kingman(2), data, prior=Gamma(3, 2)).fit()
        >>> abs(float(posterior.mean[0]) - 7 / 9) < 0.01  # the posterior is gamma(7, 9)
        True
    """

    def __init__(
        self,
        model: Any,
        observed_data: Any,
        theta_dim: int | None = None,
        *,
        n_particles: int = 200,
        n_iterations: int = 300,
        prior: PriorArgument = None,
        transform: TransformArgument = None,
        fixed: Mapping[int, float] | None = None,
        rewards: ArrayLike | None = None,
        optimizer: Optimizer = None,
        kernel: Kernel | None = None,
        regularization: float = 0.0,
        nr_moments: int = 2,
        minibatch: int | None = None,
        start: str | ArrayLike = "laplace",
        tolerance: float | None = None,
        seed: int = 0,
        progress: bool | Progress = True,
        checkpoint: str | os.PathLike[str] | None = None,
        every: int = 50,
        devices: Sequence[Any] | None = None,
    ) -> None:
        for name, number, least in (
            ("n_particles", n_particles, 2),
            ("n_iterations", n_iterations, 1),
            ("every", every, 1),
            ("seed", seed, 0),
        ):
            check_count(name, number, least)
        check_tolerance(tolerance)
        penalty = (
            moment_penalty(model, as_data_sets(observed_data, rewards), regularization, nr_moments)
            if regularization
            else None
        )
        self.target = log_posterior(
            model,
            observed_data,
            theta_dim,
            prior=prior,
            transform=transform,
            fixed=fixed,
            rewards=rewards,
            minibatch=minibatch,
            penalty=penalty,
        )
        self.n_particles = n_particles
        self.n_iterations = n_iterations
        self.kernel = as_kernel(kernel)
        self.optimizer = as_optimizer(optimizer, n_iterations)
        self._start = as_start(start, n_particles, self.target.parameters.theta_dim)
        self._tolerance = tolerance
        self._seed = seed
        self._progress = as_progress(progress)
        self._checkpoint = checkpoint
        self._every = every
        self._placement = Placement(devices, n_particles)
        self._problem = self._describe(model) | {"regularization": [regularization, nr_moments]}

    def fit(self) -> Posterior:
        """Moves the particles until the end, or until they rest.

        Raises:
            NumericError: the data are outside the support of the model at all thetas tried; no
                posterior mode is found to begin at; a log density or gradient is not finite (the
                particle and its theta are named).
            FormatError: the checkpoint is of another problem.
            OSError: it cannot be written, found before the fit begins. What is found later is a
                warning, `CHECKPOINT_FAILED`, as the fit itself can go on.
        """
        run = self._resumed()
        if self._checkpoint is not None and self._placement.is_first and not self._is_over(run):
            check_writable(self._checkpoint)
        run = run or self._begun()
        flow, done = run.flow, int(run.state.iteration)
        rests = self._rests(run.state)
        while done < self.n_iterations and not rests:
            until = min(_next(done, self._stride), _next(done, self._every), self.n_iterations)
            run.state = flow.advance(run.state, until - done)
            done = until
            rests = self._rests(run.state)
            ends = rests or done == self.n_iterations
            if ends or done % self._stride == 0:
                run.take()
            if self._checkpoint is not None and (ends or done % self._every == 0):
                self._save(run)
            if self._placement.is_first:
                self._progress(self.n_iterations if ends else done, self.n_iterations)
        ksd, size = flow.discrepancy(run.state)
        return Posterior(
            particles=run.thetas[-1],
            trace=np.stack(run.thetas),
            trace_iterations=np.array(run.iterations),
            stein_discrepancy=ksd,
            effective_sample_size=size,
            movement=float(run.state.movement),
            iterations=done,
            rests=rests,
            fixed=tuple(self.target.parameters.fixed),
        )

    def _rests(self, state: State) -> bool:
        return self._tolerance is not None and float(state.movement) <= self._tolerance

    def _is_over(self, run: _Run | None) -> bool:
        return run is not None and (
            int(run.state.iteration) >= self.n_iterations or self._rests(run.state)
        )

    @property
    def _stride(self) -> int:
        """Steps from one snapshot of the particles to the next."""
        return max(1, self.n_iterations // _SNAPSHOTS)

    def _begun(self) -> _Run:
        whitening, particles = self._placement.agree(self._first_particles())
        run = self._run(whitening)
        run.state = run.flow.first(particles, self._seed)
        run.take()
        return run

    def _run(self, whitening: Whitening) -> _Run:
        flow = Flow(self.target, whitening, self.kernel, self.optimizer, self._placement)
        return _Run(flow, whitening)

    def _first_particles(self) -> tuple[Whitening, Values]:
        """The coordinates, and the starting particles (n, d) in them."""
        target, n = self.target, self.n_particles
        if isinstance(self._start, str) and self._start == "laplace":
            modes = find_modes(target, self._seed)
            whitening = by_mode(modes[0])
            return whitening, whitening.whiten(draw_mixture(modes, n, self._seed))
        whitening = by_prior(target, self._seed)
        if isinstance(self._start, str):
            target.start(self._seed)  # refuses data that are impossible
            return whitening, whitening.whiten(draws(target.parameters, self._seed, n))
        thetas = np.asarray(self._start, dtype=float)
        us = target.parameters.unconstrain_all(thetas)
        target.likelihood.check_support(thetas)
        return whitening, whitening.whiten(us)

    # ---- checkpoints

    def _save(self, run: _Run) -> None:
        state = self._placement.collect(run.state)
        if not self._placement.is_first:
            return
        assert self._checkpoint is not None
        leaves = {f"state_{k}": leaf for k, leaf in enumerate(jax.tree.leaves(state))}
        history = {"thetas": np.stack(run.thetas), "iterations": np.array(run.iterations)}
        probe = self._probe(run.whitening)
        arrays = {**leaves, **history, **probe, **run.whitening._asdict()}
        try:
            checkpoints.save(self._checkpoint, self._problem, arrays)
        except OSError as error:
            warn(
                "CHECKPOINT_FAILED",
                f"no checkpoint at step {int(run.state.iteration)}: {error.filename}: "
                f"{error.strerror}; the fit goes on, and were it killed, it would begin anew or at "
                "an earlier checkpoint",
            )

    def _probe(self, whitening: Whitening) -> dict[str, NDArray[Any]]:
        """What tells functions of the same name apart: the log density at one point, and the way
        of one particle that is pulled ahead evenly.
        """
        ahead = jnp.ones((1, 1))

        def pull(memory: Any, _: None) -> tuple[Any, jax.Array]:
            updates, memory = self.optimizer.update(-ahead, memory, ahead)
            return memory, updates[0, 0]

        way = jax.lax.scan(pull, self.optimizer.init(ahead), length=self.n_iterations)[1]
        density = self.target(jnp.asarray(whitening.centre))
        return {"log_density": np.asarray(density), "updates": np.asarray(way)}

    def _resumed(self) -> _Run | None:
        if self._checkpoint is None:
            return None
        kept = checkpoints.load(self._checkpoint, self._problem, _KEPT)
        if kept is None:
            return None
        whitening = Whitening(kept["centre"], kept["scale"])
        here = self._probe(whitening)
        there = {name: kept[name] for name in here}
        if not np.allclose(there["log_density"], here["log_density"], rtol=1e-6):
            raise checkpoints.other(
                self._checkpoint,
                f"its log density is {there['log_density']} where this one's is "
                f"{here['log_density']}",
            )
        if not np.allclose(there["updates"], here["updates"], rtol=1e-5, atol=1e-12):
            raise checkpoints.other(self._checkpoint, "the optimiser makes other steps")
        run = self._run(whitening)
        like = run.flow.first(np.zeros((self.n_particles, len(kept["centre"]))), self._seed)
        leaves, structure = jax.tree.flatten(like)
        stored = [kept.get(f"state_{k}") for k in range(len(leaves))]
        if any(
            found is None or found.shape != leaf.shape or found.dtype != leaf.dtype
            for found, leaf in zip(stored, leaves, strict=True)
        ):
            raise checkpoints.other(self._checkpoint, "the optimiser's state is another")
        run.state = run.flow.restored(jax.tree.unflatten(structure, stored))
        run.thetas, run.iterations = list(kept["thetas"]), kept["iterations"].tolist()
        return run

    def _describe(self, model: Any) -> dict[str, Any]:
        """What makes a checkpoint one of this problem."""
        models = model if isinstance(model, (list, tuple)) else [model]
        return {
            "models": [_name(one) for one in models],
            "data": [part.fingerprint() for part in self.target.likelihood.data],
            "parameters": self.target.parameters.describe(),
            "n_particles": self.n_particles,
            "n_iterations": self.n_iterations,
            "kernel": repr(self.kernel),
            "minibatch": self.target.likelihood.minibatch,
            "seed": self._seed,
            "double": bool(jnp.zeros(()).dtype == jnp.float64),
            "start": self._start
            if isinstance(self._start, str)
            else hashlib.sha256(self._start.tobytes()).hexdigest(),
        }


@dataclass
class _Run:
    """A fit on its way: `thetas` and `iterations` are snapshots of the particles."""

    flow: Flow
    whitening: Whitening
    thetas: list[Values] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    state: State = field(init=False)

    def take(self) -> None:
        """One more snapshot."""
        self.thetas.append(self.flow.thetas(self.state))
        self.iterations.append(int(self.state.iteration))


def _next(done: int, stride: int) -> int:
    return (done // stride + 1) * stride


def _name(model: Any) -> str:
    """The content key of a graph, the name of a function, the kind of anything else."""
    graph_key = getattr(getattr(model, "frozen", None), "key", None)
    if graph_key is not None:
        return str(graph_key)
    trace_key = getattr(getattr(model, "elimination_trace", None), "key", None)
    if trace_key is not None:
        return str(trace_key)
    return str(getattr(model, "__qualname__", type(model).__qualname__))
