"""The table of commands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from functools import wraps
from typing import Annotated, Any

import typer

from phasic.cli.commands.cache_clear import clear
from phasic.cli.commands.cache_info import info
from phasic.cli.commands.cache_list import list_entries
from phasic.cli.commands.cache_path import path
from phasic.cli.commands.cache_pin import pin, unpin
from phasic.cli.commands.cache_plot import plot_use
from phasic.cli.commands.cache_prune import prune
from phasic.cli.commands.cache_push import pull, push
from phasic.cli.commands.cache_show import show
from phasic.cli.commands.cache_transfer import export_entries, import_entries
from phasic.cli.commands.cache_verify import verify
from phasic.cli.commands.completion import completion
from phasic.cli.commands.config import get, list_settings, set_value
from phasic.cli.commands.convert import convert
from phasic.cli.commands.daemon_control import status, stop
from phasic.cli.commands.daemon_files import logs, unit
from phasic.cli.commands.daemon_run import run, start
from phasic.cli.commands.doctor import doctor
from phasic.cli.commands.evaluate import evaluate
from phasic.cli.commands.infer import infer
from phasic.cli.commands.inspect import inspect
from phasic.cli.commands.models import models
from phasic.cli.commands.plot import plot
from phasic.cli.commands.record import record
from phasic.cli.commands.report import report
from phasic.cli.commands.sample import sample
from phasic.cli.options import JsonOption
from phasic.cli.quick_start import QuickCommand, QuickGroup
from phasic.cli.results import Result, Value
from phasic.cli.session import session_of

# No rich markup in help: its text holds brackets, and plain help starts in half the time.
app = typer.Typer(
    name="phasic",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    # Its two options would load pydantic at every start; `phasic completion` is ours.
    add_completion=False,
    cls=QuickGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cache = typer.Typer(rich_markup_mode=None, add_completion=False, cls=QuickGroup)
config = typer.Typer(rich_markup_mode=None, add_completion=False, cls=QuickGroup)
daemon = typer.Typer(rich_markup_mode=None, add_completion=False, cls=QuickGroup)


def _version(context: typer.Context, value: bool) -> None:
    if value:
        from phasic._version import __version__

        session = session_of(context)
        session.command = "version"
        session.result = Result(Value("version", f"phasic {__version__}", {"version": __version__}))
        raise typer.Exit


@app.callback(invoke_without_command=True)
def top(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fast, trustworthy phase-type distributions: record a model once, evaluate it for any theta.

    \b
    Examples:
      phasic record model.py
      phasic record phasic.models.coalescent:site_frequency --arg n=20
      phasic inspect model.py
      phasic evaluate model.py --theta 1.0 --moments 4 --grad
      phasic evaluate model.py --theta 1.0 --pdf 0.5,1,2 --quantile 0.95
      phasic record model.py | phasic evaluate - --thetas thetas.csv > out.jsonl
      phasic plot model.py --theta 1.0 -o density.svg
      phasic report model.py --theta 1.0 -o report.html
      phasic sample model.py --theta 1.0 -n 1000 --seed 1
      phasic infer model.py observed.csv --prior 'gamma(2,1)'
      phasic models
      phasic convert model.py model.drn
      phasic cache info
      phasic config list
      phasic daemon start
      phasic doctor

    \b
    Exit codes: 0 done, 1 bad model or data or the answer is no, 2 usage or configuration,
    3 environment (disk, lock, daemon, a package not installed), 70 bug, 130 interrupted.
    """
    session_of(context).command = context.invoked_subcommand or ""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


@cache.callback(invoke_without_command=True)
def cache_top(context: typer.Context) -> None:
    """What is in the cache of traces; checking, limiting, moving and emptying it.

    \b
    Examples:
      phasic cache info
      phasic cache list
      phasic cache verify
      phasic cache prune --max-bytes 2G
      phasic cache export -o traces.tar
      phasic cache push --all
      phasic cache clear --dry-run
    """
    session_of(context).command = f"cache {context.invoked_subcommand or ''}".strip()
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


@config.callback(invoke_without_command=True)
def config_top(context: typer.Context) -> None:
    """Settings: their values, where those come from, and changing them in the configuration file.

    \b
    Examples:
      phasic config list
      phasic config get cache_dir
      phasic config set cache_high_bytes 20G
    """
    session_of(context).command = f"config {context.invoked_subcommand or ''}".strip()
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


@daemon.callback(invoke_without_command=True)
def daemon_top(context: typer.Context) -> None:
    """One process a node and user before the shared and remote caches; all works without it.

    It brings an entry to this node once for all that want it, saves there what is recorded even if
    the job ends, holds to a deadline when a mount hangs, and collects and verifies the local cache.

    \b
    Examples:
      phasic daemon start
      phasic daemon status
      phasic daemon logs
      phasic daemon stop
    """
    session_of(context).command = f"daemon {context.invoked_subcommand or ''}".strip()
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


_SHORT = {
    record: "Record a model once and keep the trace.",
    inspect: "What a trace or a model is made of.",
    evaluate: "Moments, densities and all else for one theta or many.",
    models: "The models that ship, and what one of them is.",
    plot: "A density, another function or the states, as PNG or SVG.",
    report: "A model at one theta as one page of HTML.",
    sample: "Times, rewards, ends and paths drawn at one theta.",
    infer: "Parameters from data: a posterior, or a point estimate.",
    convert: "A model as a file of another format.",
    completion: "A script for Tab in bash, zsh or fish.",
    doctor: "Whether all works here, and what to do where it does not.",
    info: "Where traces are kept, how much room they take, hits and misses.",
    plot_use: "The same as a picture, PNG or SVG.",
    list_entries: "The traces in the cache, the newest first.",
    show: "One trace in the cache: its file, uses, size and model.",
    verify: "Which traces in the cache are damaged.",
    prune: "Keep the cache within its limits.",
    clear: "Remove all traces from the cache.",
    pin: "Keep traces whatever the limits are.",
    unpin: "Let traces go again when limits say so.",
    export_entries: "Write traces to a tar file.",
    import_entries: "Take the traces of a tar file into the cache.",
    push: "Save traces in the remote cache.",
    pull: "Take traces of the remote cache into this one.",
    path: "Where the cache or one of its traces lies.",
    start: "Start the daemon in the background.",
    stop: "Stop the daemon.",
    status: "Whether the daemon runs, and what it has done.",
    run: "Be the daemon, in the foreground.",
    logs: "What the daemon has logged.",
    unit: "Units for systemd.",
    list_settings: "All settings with their values and where those come from.",
    get: "The value of one setting.",
    set_value: "Write one setting to the configuration file.",
}


def _add(group: typer.Typer, name: str, command: Callable[..., Result]) -> None:
    @wraps(command)
    def perform(context: typer.Context, *arguments: Any, **options: Any) -> Result:
        # What a model's own code prints is no result.
        with redirect_stdout(session_of(context).streams.stderr):
            return command(context, *arguments, **options)

    group.command(name, cls=QuickCommand, short_help=_SHORT[command])(perform)


_add(app, "record", record)
_add(app, "inspect", inspect)
_add(app, "evaluate", evaluate)
_add(app, "plot", plot)
_add(app, "report", report)
_add(app, "sample", sample)
_add(app, "infer", infer)
_add(app, "models", models)
_add(app, "convert", convert)
_add(app, "doctor", doctor)
_add(app, "completion", completion)
app.add_typer(
    cache, name="cache", short_help="What is in the cache; checking, limiting, moving, emptying it."
)
_add(cache, "info", info)
_add(cache, "plot", plot_use)
_add(cache, "list", list_entries)
_add(cache, "show", show)
_add(cache, "verify", verify)
_add(cache, "prune", prune)
_add(cache, "clear", clear)
_add(cache, "pin", pin)
_add(cache, "unpin", unpin)
_add(cache, "export", export_entries)
_add(cache, "import", import_entries)
_add(cache, "push", push)
_add(cache, "pull", pull)
_add(cache, "path", path)
app.add_typer(config, name="config", short_help="Settings: where they come from; changing them.")
_add(config, "list", list_settings)
_add(config, "get", get)
_add(config, "set", set_value)
app.add_typer(daemon, name="daemon", short_help="The cache's daemon: starting, stopping, watching.")
_add(daemon, "start", start)
_add(daemon, "stop", stop)
_add(daemon, "status", status)
_add(daemon, "run", run)
_add(daemon, "logs", logs)
_add(daemon, "unit", unit)
