"""Arguments and options that several commands share, each declared once."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

ModelArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="file.py, file.py:NAME or package.module:NAME, where NAME is a callback, a Graph or a"
        " function that returns one. NAME may be left out where there is only one. Or a file of"
        " edges or matrices, as `phasic convert` writes them.",
    ),
]

SourceArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="TRACE|KEY|MODEL",
        help="A trace file, the key of a cached trace (or its first 8 digits or more), a model as"
        " `phasic record` takes it, or - for a key or a path on standard input.",
    ),
]

KeyArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="KEY", help="The key of a cached trace, or its first 8 digits or more."),
]

KeysArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY]...",
        help="Keys of cached traces, or their first 8 digits or more.  [default: all]",
    ),
]

ArgOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--arg",
        metavar="NAME=VALUE",
        help="An argument of the model, as in n=10 or n=[3,2]; may be repeated.",
    ),
]

MaxVerticesOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--max-vertices",
        metavar="N",
        min=1,
        help="Stop exploring a callback's states beyond N.  [default: 1 million]",
    ),
]

DiscreteOption: TypeAlias = Annotated[
    bool,
    typer.Option("--discrete", help="A callback's weights are probabilities of steps, not rates."),
]

ThetaOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--theta",
        metavar="X[,Y...]",
        help="One theta, a number for each parameter.",
    ),
]

RewardsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--rewards",
        metavar="FILE",
        help="A reward for each vertex, one a line, in the order of `inspect --states`.",
    ),
]

RewardColumnsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--rewards",
        metavar="FILE",
        help="A line for each vertex, in the order of `inspect --states`, and a column for each"
        " reward: what is collected in place of time.",
    ),
]

DataOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Observations to show beside it, one a line; a second column has their weights.",
    ),
]

TitleOption: TypeAlias = Annotated[
    str | None, typer.Option("--title", metavar="TEXT", help="Above it all.")
]

RightCensoredOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--right-censored",
        metavar="FILE",
        help="Beside the data: times, one a line, at which what was observed had not ended.",
    ),
]

IntervalsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--intervals",
        metavar="FILE",
        help="Beside the data: two times a line, between which what was observed ended.",
    ),
]

EpochOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--epoch",
        metavar="T:X[,Y...]",
        help="From time T on theta is X,Y...; may be repeated, in the order of times.",
    ),
]

TierOption: TypeAlias = Annotated[
    Literal["local", "shared"],
    typer.Option("--tier", help="The cache of this machine, or PHASIC_CACHE_SHARED_DIR."),
]

AnyTierOption: TypeAlias = Annotated[
    Literal["local", "shared", "remote"],
    typer.Option(
        "--tier",
        help="The cache of this machine, PHASIC_CACHE_SHARED_DIR, or PHASIC_CACHE_REMOTE_URL.",
    ),
]

JsonOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON object: data, warnings, exit code and error, if any."
    ),
]
