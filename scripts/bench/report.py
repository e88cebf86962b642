"""The results as tables for a README: what was measured, what was asked, who was absent."""

from results import DensityRow, Figure, Results, Row

WRONG = 1e-6
_METHODS = ("uniformise", "contour", "dense")


def _microseconds(seconds: float | None, difference: float = 0.0) -> str:
    if seconds is None:
        return "-"
    return _short(1e6 * seconds) + ("†" if difference > WRONG else "")


def _short(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) < 1e-3 or abs(value) >= 1e9:
        return f"{value:.1e}"
    if abs(value) < 10:
        return f"{value:.3g}"
    return f"{value:,.0f}"


def _times(numerator: float | None, denominator: float) -> str:
    return "-" if numerator is None else f"{numerator / denominator:.1f}x"


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = [header, [":--", *["--:"] * (len(header) - 1)], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _speed(row: Row) -> list[str]:
    def theirs(seconds: float | None, contender: str) -> str:
        return _microseconds(seconds, row.differences.get(contender, 0.0))

    return [
        row.model,
        f"{row.states:,}",
        _short(row.multiply_adds),
        _short(1e3 * (row.freeze + row.record)),
        _microseconds(row.one_theta),
        _microseconds(row.many_thetas),
        theirs(row.klu, "KLU"),
        _times(row.klu, row.one_theta),
        _times(row.klu, row.many_thetas),
        theirs(row.splu, "splu"),
        theirs(row.phasic_first, "phasic 0.32.1"),
        theirs(row.phasic_new, "phasic 0.32.1"),
    ]


def _agreement(row: Row) -> list[str]:
    contenders = ("reference", "KLU", "splu", "phasic 0.32.1")
    cells = [row.model]
    for contender in contenders:
        if contender in row.differences:
            cells.append(f"{row.differences[contender]:.0e}")
        else:
            cells.append(row.failures.get(contender, "-").replace("|", "/"))
    return cells


def _density(row: DensityRow) -> list[str]:
    def theirs(contender: str) -> str:
        if contender not in row.peers:
            return row.failures.get(contender, "-").replace("|", "/")
        error = row.differences[contender]
        return f"{_times(row.peers[contender], row.seconds)} ({error:.0e})"

    return [
        row.model,
        f"{row.states:,}",
        _short(1e3 * row.seconds),
        f"{row.method}, {row.kind}",
        f"{row.bound:.0e}",
        "-" if row.error is None else f"{row.error:.0e}",
        f"{row.gradient / row.seconds:.1f}x",
        *(_short(1e3 * row.methods[m]) if m in row.methods else "-" for m in _METHODS),
        *(theirs(peer) for peer in ("expm_multiply", "dense expm", "phasic 0.32.1")),
    ]


def _target(figure: Figure) -> str:
    if figure.at_most is not None:
        return f"≤ {_short(figure.at_most)} {figure.unit}".strip()
    return f"≥ {_short(figure.at_least or 0)} {figure.unit}".strip()


def _value(figure: Figure) -> str:
    if figure.value is None:
        return "not measured"
    return f"{_short(figure.value)} {figure.unit}".strip()


def _note(figure: Figure) -> str:
    return figure.note and f" ({figure.note})"


def _verdict(figure: Figure) -> list[str]:
    met = "yes" if figure.met else "**missed**"
    return [figure.name, _value(figure), _target(figure), met + _note(figure)]


def _measured(figure: Figure) -> str:
    return figure.note if figure.value is None else _value(figure) + _note(figure)


def markdown(results: Results) -> str:
    """Everything as Markdown."""
    machine = results.machine
    lines = [
        f"Measured {results.date} on {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['instruction_set']}; CPU time, minimum of several runs, everyone warmed up; "
        + ", ".join(f"{name} {version}" for name, version in results.versions.items())
        + ".",
        "",
    ]
    lines += [f"**{peer} was absent**: {reason}" for peer, reason in results.absent.items()]
    lines += [
        "",
        "### One theta, µs: the mean of a recorded model at new numbers",
        "",
        *_table(
            [
                "model",
                "states",
                "multiply-adds",
                "record, ms",
                "one theta",
                "64 thetas, each",
                "KLU",
                "one / KLU",
                "64 / KLU",
                "splu",
                "phasic 0.32.1, first",
                "and next",
            ],
            [_speed(row) for row in results.rows],
        ),
        "",
        f"† answer off by more than {WRONG:.0e}, see below.",
        "",
        "### Relative difference of the mean from ours, the worst theta",
        "",
        "The reference never subtracts: a closed form, or Grassmann-Taksar-Heyman elimination.",
        "",
        *_table(
            ["model", "reference", "KLU", "splu", "phasic 0.32.1"],
            [_agreement(row) for row in results.rows],
        ),
        "",
        "### Densities: 100 times in the body at one theta, ms",
        "",
        "Ours: the whole call, asked for 1e-12; the error against uniformisation in extended "
        "precision, else against our other methods. Peers: their time over ours (their error).",
        "",
        *_table(
            [
                "model",
                "states",
                "ours",
                "method",
                "bound",
                "error",
                "with gradient",
                *_METHODS,
                "expm_multiply",
                "dense expm",
                "phasic 0.32.1",
            ],
            [_density(row) for row in results.densities],
        ),
        "",
        "### Targets",
        "",
        *_table(
            ["figure", "measured", "target", "met"],
            [_verdict(figure) for figure in results.figures if figure.met is not None],
        ),
        "",
        "### Other figures",
        "",
        *_table(
            ["figure", "measured"],
            [[figure.name, _measured(figure)] for figure in results.figures if figure.met is None],
        ),
    ]
    return "\n".join(lines) + "\n"
