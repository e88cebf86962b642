"""`phasic infer`: the parameters of a model from data."""

from __future__ import annotations

from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phasic.cli.errors import UsageError
from phasic.cli.options import (
    ArgOption,
    DiscreteOption,
    IntervalsOption,
    JsonOption,
    MaxVerticesOption,
    ModelArgument,
    RewardColumnsOption,
    RightCensoredOption,
)
from phasic.cli.results import Records, Result
from phasic.cli.session import Session, session_of
from phasic.errors import warn

if TYPE_CHECKING:
    from phasic.graph import Graph
    from phasic.inference import Observations, PointEstimate, Posterior


class Method(StrEnum):
    """How parameters are found; see `phasic.inference`."""

    SVGD = "svgd"
    MAP = "map"
    MLE = "mle"
    MOMENTS = "moments"


def infer(
    context: typer.Context,
    model: ModelArgument,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA|-",
            help="Observations, one a line, with weights in a second column, if any: CSV, TSV,"
            " spaces or a .npy array; - reads standard input.",
        ),
    ],
    prior: Annotated[
        list[str] | None,
        typer.Option(
            "--prior",
            metavar="NAME(X,Y)",
            help="gamma(shape,rate), lognormal(mean,sd), beta(a,b), normal(mean,sd),"
            " uniform(low,high) or dirichlet(a1,a2,...). Once for all parameters, or repeated in"
            " their order, `fixed` for those of --fix.  [default: lognormal(0,3); uniform(0,1) of"
            " discrete models]",
        ),
    ] = None,
    method: Annotated[Method, typer.Option("--method", help="How they are found.")] = Method.SVGD,
    fix: Annotated[
        list[str] | None,
        typer.Option(
            "--fix", metavar="I=X", help="Hold parameter I (from 0) at X; may be repeated."
        ),
    ] = None,
    rewards: RewardColumnsOption = None,
    right_censored: RightCensoredOption = None,
    intervals: IntervalsOption = None,
    level: Annotated[
        float,
        typer.Option("--level", metavar="P", min=0.01, max=0.9999, help="Of the intervals."),
    ] = 0.95,
    particles: Annotated[
        int, typer.Option("--particles", metavar="N", min=2, help="Particles of svgd.")
    ] = 200,
    iterations: Annotated[
        int, typer.Option("--iterations", metavar="N", min=1, help="Steps of svgd.")
    ] = 300,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="S", min=0, max=2**32 - 1, help="Of the starting particles."
        ),
    ] = 0,
    moments: Annotated[
        int | None,
        typer.Option(
            "--moments",
            metavar="K",
            min=1,
            help="Moments that `moments` matches.  [default: one a free parameter]",
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="Keep the state of svgd there every 50 steps, and go on from it if it is there.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the particles there: a .npy array (particles, parameters).",
        ),
    ] = None,
    arg: ArgOption = None,
    max_vertices: MaxVerticesOption = None,
    discrete: DiscreteOption = False,
    as_json: JsonOption = False,
) -> Result:
    """Find a model's parameters from data: a posterior by particles, or a point estimate.

    \b
    svgd     posterior means, standard deviations and intervals (Stein variational gradient descent)
    map      the mode of the posterior density
    mle      maximum likelihood, no prior
    moments  the method of moments, no prior

    On a pipe one JSON object: method, observations, and under `parameters` a list a column, an
    entry a parameter. Standard errors are from the curvature at the maximum. With --rewards the
    data have a column for each reward. Where FILE of -o can no longer be written after the fit, the
    particles are there too, under `thetas`, and the exit code is 3.

    \b
    Examples:
      phasic infer model.py observed.csv --prior 'gamma(2,1)'
      phasic infer model.py observed.csv --method mle --json
      phasic infer model.py observed.npy --prior 'gamma(2,1)' --prior fixed --fix 1=0.5
      phasic sample model.py --theta 1 -n 100 | phasic infer model.py - --method moments
      phasic infer model.py observed.csv --checkpoint fit.npz -o particles.npy
    """
    from phasic.cli.model_source import ModelOptions, load_model
    from phasic.cli.observed import read_data
    from phasic.cli.progress import exploring
    from phasic.files import check_writable
    from phasic.inference import double_precision, parse_prior

    _check(method, prior, moments, checkpoint, output)
    if output is not None:
        check_writable(output)
    held = dict(map(_read_fixed, fix or ()))
    priors = [None if text == "fixed" else parse_prior(text) for text in prior or ()]
    session = session_of(context)
    graph = load_model(model, ModelOptions.of(arg, max_vertices, discrete))
    with exploring(session):
        n_vertices = graph.n_vertices
    observed = read_data(session, data, n_vertices, rewards, right_censored, intervals)
    options: dict[str, Any] = {"fixed": held, "seed": seed}
    if method in (Method.SVGD, Method.MAP):
        options["prior"] = (priors[0] if len(priors) == 1 else priors) if priors else None
    with double_precision():
        if method is Method.SVGD:
            options |= {"n_particles": particles, "n_iterations": iterations}
            posterior = _fit(session, graph, observed, checkpoint, options)
            record = _posterior_record(posterior, observed, level)
            failure = None if output is None else _written(output, posterior, record)
            return Result(Records([record]), failure=failure)
        estimate = _estimate(graph, observed, method, moments, options)
    return Result(Records([_estimate_record(estimate, observed, level)]))


def _check(
    method: Method,
    prior: list[str] | None,
    moments: int | None,
    checkpoint: Path | None,
    output: Path | None,
) -> None:
    for option, given, methods in (
        ("--prior", prior, (Method.SVGD, Method.MAP)),
        ("--moments", moments, (Method.MOMENTS,)),
        ("--checkpoint", checkpoint, (Method.SVGD,)),
        ("--output", output, (Method.SVGD,)),
    ):
        if given is not None and method not in methods:
            raise UsageError(
                f"{option} has no place with --method {method}",
                code="USAGE",
                hint=f"it goes with --method {' or '.join(methods)}",
            )


def _read_fixed(text: str) -> tuple[int, float]:
    from phasic.cli.number_lines import is_number

    index, separator, value = text.partition("=")
    if not separator or not index.isdecimal() or not is_number(value):
        raise UsageError(f"--fix {text} is not I=X", code="USAGE", hint="as in --fix 0=1.5")
    return int(index), float(value)


def _fit(
    session: Session,
    graph: Graph,
    observed: Observations,
    checkpoint: Path | None,
    options: dict[str, Any],
) -> Posterior:
    from phasic.cli.progress import ProgressBar
    from phasic.inference import SVGD

    with ProgressBar(session, "fitting") as bar:
        progress = bar.callback or False
        return SVGD(graph, observed, checkpoint=checkpoint, progress=progress, **options).fit()


def _estimate(
    graph: Graph,
    observed: Observations,
    method: Method,
    moments: int | None,
    options: dict[str, Any],
) -> PointEstimate:
    from phasic.inference import maximum_a_posteriori, maximum_likelihood, method_of_moments

    if method is Method.MAP:
        return maximum_a_posteriori(graph, observed, **options)
    if method is Method.MLE:
        return maximum_likelihood(graph, observed, **options)
    return method_of_moments(graph, observed, nr_moments=moments, **options)


def _posterior_record(posterior: Posterior, observed: Observations, level: float) -> dict[str, Any]:
    lower, upper = posterior.interval(level).T.tolist()
    return {
        "method": "svgd",
        "observations": observed.count,
        "particles": len(posterior.particles),
        "iterations": posterior.iterations,
        "movement": posterior.movement,
        "stein_discrepancy": posterior.stein_discrepancy,
        "effective_sample_size": posterior.effective_sample_size,
        "parameters": {
            "parameter": list(range(len(lower))),
            "mean": posterior.mean.tolist(),
            "sd": posterior.sd.tolist(),
            "lower": lower,
            "upper": upper,
            "level": level,
        },
        "covariance": posterior.covariance.tolist(),
    }


_VALUE_NAMES = {"mle": "loglik", "map": "log_posterior", "moments": "objective"}


def _estimate_record(estimate: PointEstimate, observed: Observations, level: float) -> Any:
    lower, upper = estimate.interval(level).T.tolist()
    return {
        "method": estimate.method,
        "observations": observed.count,
        "iterations": estimate.iterations,
        _VALUE_NAMES[estimate.method]: estimate.value,
        "parameters": {
            "parameter": list(range(len(lower))),
            "estimate": estimate.theta.tolist(),
            "standard_error": estimate.standard_errors.tolist(),
            "lower": lower,
            "upper": upper,
            "level": level,
        },
        "covariance": estimate.covariance.tolist(),
        "at_bound": list(estimate.at_bound),
    }


def _written(path: Path, posterior: Posterior, record: dict[str, Any]) -> OSError | None:
    """Writes the particles; where that fails they go into the record. The error, if any."""
    import numpy as np

    from phasic.files import replacing

    content = BytesIO()  # numpy's own writing to files does not say why it failed
    np.save(content, posterior.particles)
    try:
        with replacing(path, "wb") as stream:
            stream.write(content.getbuffer())
    except OSError as error:
        record["thetas"] = posterior.particles.tolist()
        warn("OUTPUT_FAILED", "the particles are on standard output instead, under `thetas`")
        return error
    return None
