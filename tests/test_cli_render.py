"""The renderer: tables for a terminal, whole lines for a pipe, one envelope for --json."""

from __future__ import annotations

import io
import json
import math

import pytest

from phasic.cli.exit_codes import ExitCode
from phasic.cli.render import Failure, Renderer
from phasic.cli.results import Fields, Records, Result, Table, Value
from phasic.cli.session import Session
from phasic.cli.streams import Streams

LONG = "a key that is longer than any terminal is wide " * 5
EXACT = 0.1 + 0.2


def rendered(data, *, terminal=False, as_json=False, width=60):
    out, err = io.StringIO(), io.StringIO()
    streams = Streams(
        io.StringIO(), out, err, stdout_is_terminal=terminal, stderr_is_terminal=terminal
    )
    streams.width = width
    renderer = Renderer(Session(streams, json=as_json, command="test"))
    renderer.show(Result(data))
    renderer.finish(ExitCode.DONE)
    return out.getvalue(), err.getvalue()


def test_values():
    assert rendered(Value("key", "abc")) == ("abc\n", "")
    assert rendered(Value("key", "abc"), terminal=True) == ("abc\n", "")
    data = json.loads(rendered(Value("key", "abc", {"n": 1}), as_json=True)[0])["data"]
    assert data == {"key": "abc", "n": 1}


def test_fields_on_a_pipe_are_whole_lines():
    out, _ = rendered(Fields({"long": LONG, "x": EXACT, "yes": True, "none": None, "n": 12345}))
    assert out == f"long\t{LONG}\nx\t{EXACT!r}\nyes\ttrue\nnone\t\nn\t12345\n"


def test_cells_stay_cells():
    out, _ = rendered(Table(("a", "b"), [("tab\there", "line\nbreak"), ("back\\slash", [1, 2])]))
    assert out == "tab\\there\tline\\nbreak\nback\\\\slash\t[1, 2]\n"


def test_tables_on_a_terminal_fold_and_never_cut():
    out, _ = rendered(Table(("name", "number"), [(LONG, 1234567)]), terminal=True)
    assert "name" in out
    assert "1,234,567" in out
    assert "…" not in out
    words = [word for word in out.split() if word.isalpha()]
    assert words == ["name", "number", *LONG.split()]
    assert all(len(line) <= 60 for line in out.splitlines())


def test_brackets_are_text_and_no_markup():
    out, _ = rendered(Fields({"[bold]name[/bold]": "[red]x[/red]"}), terminal=True)
    assert "[bold]name[/bold]" in out
    assert "[red]x[/red]" in out


def test_an_empty_table():
    table = Table(("a",), [], noun="trace in the cache")
    assert rendered(table) == ("", "")
    assert rendered(table, terminal=True) == ("", "no trace in the cache\n")
    assert json.loads(rendered(table, as_json=True)[0])["data"] == []


def test_records():
    records = [{"row": 0, "theta": [EXACT], "moments": [1.0, 2.0]}, {"row": 1, "theta": [2.0]}]
    out, _ = rendered(Records(records))
    assert [json.loads(line) for line in out.splitlines()] == records
    assert json.loads(rendered(Records(records), as_json=True)[0])["data"] == records


def test_functions_in_a_record_are_tables_on_a_terminal():
    record = {
        "row": 0,
        "pdf": {
            "t": [1.0, 2.0],
            "value": [0.5, 0.25],
            "bound": [1.25e-15, 0.0],
            "gradient": [[3.0], [4.0]],
        },
        "accumulated": {"t": [1.0], "vertex": [0, 7], "value": [[0.5, 0.75]]},
        "sub_cdf": [{"vertex": 7, "t": [1.0], "value": [0.5]}],
        "loglik": {"value": -1.5, "gradient": [2.0]},
        "cdf": {"t": [], "value": [], "bound": []},
    }
    lines = [line.split() for line in rendered(Records([record]), terminal=True)[0].splitlines()]
    assert ["loglik.value", "-1.5"] in lines
    assert ["loglik.gradient[0]", "2.0"] in lines
    at = lines.index(["pdf"])
    assert lines[at + 1] == ["t", "value", "bound", "gradient[0]"]
    assert lines[at + 3 : at + 5] == [
        ["1.0", "0.5", "1.2e-15", "3.0"],
        ["2.0", "0.25", "0.0e+00", "4.0"],
    ]
    at = lines.index(["accumulated"])
    assert lines[at + 3 : at + 5] == [["1.0", "0", "0.5"], ["1.0", "7", "0.75"]]
    assert ["sub_cdf[0],", "vertex", "7"] in lines
    assert ["cdf"] in lines


def test_records_on_a_terminal_are_a_table_and_a_single_one_a_list():
    record = {"row": 0, "theta": [1.0, 2.0], "gradient": [[0.5, 0.25]]}
    out, _ = rendered(Records([record]), terminal=True)
    assert [line.split() for line in out.splitlines()] == [
        ["row", "0"],
        ["theta[0]", "1.0"],
        ["theta[1]", "2.0"],
        ["gradient[0][0]", "0.5"],
        ["gradient[0][1]", "0.25"],
    ]
    out, _ = rendered(Records([record, record]), terminal=True, width=100)
    assert out.splitlines()[0].split() == [
        "row",
        "theta[0]",
        "theta[1]",
        "gradient[0][0]",
        "gradient[0][1]",
    ]


def test_numbers_that_json_has_not_are_strings():
    out, _ = rendered(Records([{"moments": [math.inf, 1.0], "x": {"y": math.nan}}]))
    assert json.loads(out) == {"moments": ["inf", 1.0], "x": {"y": "nan"}}


def test_rows_are_streamed():
    """The first row is printed before the last is made."""
    out = io.StringIO()
    streams = Streams(io.StringIO(), out, io.StringIO())
    seen = []

    def records():
        for row in range(3):
            yield {"row": row}
            seen.append(out.getvalue().count("\n"))

    Renderer(Session(streams)).show(Result(Records(records())))
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("rows", [0, 2])
def test_a_failure_halfway_leaves_a_whole_envelope(rows):
    out, err = io.StringIO(), io.StringIO()
    session = Session(Streams(io.StringIO(), out, err), json=True, command="evaluate")
    renderer = Renderer(session)

    def records():
        for row in range(rows):
            yield {"row": row}
        raise ValueError("at row 2")

    with pytest.raises(ValueError, match="at row 2"):
        renderer.show(Result(Records(records())))
    session.warnings.append("take care")
    renderer.finish(ExitCode.NO, Failure("SOME_CODE", "it broke", ExitCode.NO, hint="mend it"))
    assert json.loads(out.getvalue()) == {
        "schema": "phasic-cli/1",
        "command": "evaluate",
        "data": [{"row": row} for row in range(rows)],
        "warnings": ["take care"],
        "ok": False,
        "exit_code": 1,
        "error": {"code": "SOME_CODE", "message": "it broke", "hint": "mend it"},
    }
    assert err.getvalue() == "error[SOME_CODE]: it broke\n  hint: mend it\n"


def test_warnings_carry_their_code():
    err = io.StringIO()
    session = Session(Streams(io.StringIO(), io.StringIO(), err))
    Renderer(session).warn("the cache is full [CACHE_SAVE_FAILED]")
    assert err.getvalue() == "warning[CACHE_SAVE_FAILED]: the cache is full\n"
    assert session.warnings == ["the cache is full [CACHE_SAVE_FAILED]"]


@pytest.mark.parametrize(
    ("environment", "colour"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_asked_of_the_environment(environment, colour):
    assert Streams.of_process(environment).colour is colour


def test_errors_are_painted_on_a_terminal_only():
    for terminal in (False, True):
        err = io.StringIO()
        streams = Streams(
            io.StringIO(), io.StringIO(), err, stderr_is_terminal=terminal, colour=True
        )
        Renderer(Session(streams)).finish(ExitCode.NO, Failure("X", "y", ExitCode.NO))
        assert ("\x1b[" in err.getvalue()) is terminal
