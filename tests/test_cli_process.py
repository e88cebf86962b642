"""The program as a process: pipelines, readers that leave, Ctrl-C, a real terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from cli_processes import COALESCENT, ENDLESS, PATIENCE, PHASIC
from cli_runner import phasic
from phasic.cli.exit_codes import ExitCode
from phasic.cli.progress import ProgressBar, shown_rate
from phasic.cli.session import Session
from phasic.cli.streams import Streams
from phasic.models import structured
from phasic.state_space.watch import watched_by


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PHASIC", " ".join(PHASIC))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(COALESCENT)
    return tmp_path


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """A pipeline whose status is that of the last part that fails."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_record_into_evaluate(place):
    (place / "thetas.csv").write_text("theta\n1.0\n2.0\n4.0\n")
    done = shell("$PHASIC record model.py | $PHASIC evaluate - --thetas thetas.csv > out.jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    records = [json.loads(line) for line in (place / "out.jsonl").read_text().splitlines()]
    assert [record["moments"][0] for record in records] == [1.6, 0.8, 0.4]


def test_a_failure_before_the_pipe_is_told_by_both():
    done = shell("$PHASIC record none.py | $PHASIC evaluate - --theta 1")
    assert done.returncode == ExitCode.NO
    assert "error[MODEL_NOT_FOUND]" in done.stderr
    assert "error[KEY_MISSING]" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "$PHASIC inspect phasic.models.structured:migration --arg n=12 --arg demes=3 --ops",
        "$PHASIC evaluate model.py --thetas t.csv",
        "$PHASIC evaluate model.py --thetas t.csv --json",
    ],
)
def test_a_reader_that_leaves_is_no_error(command, place):
    (place / "t.csv").write_text("1.5\n" * 50_000)
    done = shell(f"{{ {command}; echo $? > code; }} | head -c 200")
    assert done.stderr == ""
    assert len(done.stdout) == 200
    assert (place / "code").read_text() == "0\n"


def test_output_that_cannot_be_written_exits_3():
    done = shell("$PHASIC cache info > /dev/full")
    assert done.returncode == ExitCode.ENVIRONMENT
    assert done.stderr.startswith("error[OPERATING_SYSTEM]: ")
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


def test_closed_streams():
    assert shell("$PHASIC cache info >&-").returncode == 0
    done = shell("$PHASIC evaluate - --theta 1 <&-")
    assert done.returncode == ExitCode.NO
    assert "error[KEY_MISSING]" in done.stderr


def test_labels_beyond_the_encoding_of_the_terminal():
    done = shell("PYTHONIOENCODING=ascii $PHASIC record 'm\u00f6del.py'")
    assert done.returncode == ExitCode.NO
    assert "m\\xf6del.py" in done.stderr


def test_a_reader_that_is_not_there_at_all():
    done = shell("{ $PHASIC --help; } | true; { $PHASIC cache info; } | true")
    assert done.stderr == ""


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, out, err


# Tests may run in the background of a shell, which leaves interrupts ignored. Not a preexec_fn, for
# which Python forks: other tests of this process may have started JAX, which has threads.
HEED_INTERRUPTS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEED_INTERRUPTS, *PHASIC, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_while_waiting_for_thetas(place):
    process = start("evaluate", "model.py", "--thetas", "-")
    deadline = time.monotonic() + PATIENCE
    while not list(place.glob("cache/*.trace")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    code, out, err = interrupted(process)
    assert (code, out, err) == (ExitCode.INTERRUPTED, "", "interrupted\n")


def test_ctrl_c_while_exploring_leaves_nothing_behind(place):
    (place / "model.py").write_text(ENDLESS)
    process = start("record", "model.py", "-o", "out.trace", "--max-vertices", "1000000000")
    assert process.stderr is not None
    assert process.stderr.readline() == "exploring\n"
    code, out, err = interrupted(process)
    assert (code, out, err) == (ExitCode.INTERRUPTED, "", "interrupted\n")
    left = {path.name for path in place.iterdir() if path.name != "__pycache__"}
    assert left == {"model.py"}


def test_ctrl_c_with_json_ends_the_envelope(place):
    (place / "model.py").write_text(ENDLESS)
    process = start("record", "model.py", "--json", "--max-vertices", "1000000000")
    assert process.stderr is not None
    process.stderr.readline()
    code, out, _ = interrupted(process)
    assert code == ExitCode.INTERRUPTED
    assert json.loads(out)["error"]["code"] == "INTERRUPTED"


def on_a_terminal(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """What a person sees."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*PHASIC, *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", **(environment or {})},
    )
    os.close(follower)
    seen = b""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                data = os.read(leader, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
    process.wait(timeout=PATIENCE)
    os.close(leader)
    assert process.returncode == 0, seen
    return seen.decode()


def test_a_terminal_gets_a_table():
    seen = on_a_terminal("evaluate", "model.py", "--theta", "1.0", environment={"NO_COLOR": "1"})
    assert "\x1b[" not in seen
    assert ["moments[0]", "1.6"] in [line.split() for line in seen.splitlines()]


def test_a_terminal_gets_colour_unless_it_is_refused():
    assert "\x1b[" in on_a_terminal("cache", "info", environment={"NO_COLOR": ""})


# -- the progress bar


def progress_streams(terminal: bool) -> Streams:
    return Streams(io.StringIO(), io.StringIO(), io.StringIO(), stderr_is_terminal=terminal)


def test_progress_needs_a_terminal_and_no_envelope():
    assert ProgressBar(Session(progress_streams(False)), "recording").callback is None
    assert ProgressBar(Session(progress_streams(True), json=True), "recording").callback is None


def test_what_is_short_shows_no_bar():
    streams = progress_streams(True)
    with ProgressBar(Session(streams), "recording") as bar:
        bar.callback(1, 2)
    assert streams.stderr.getvalue() == ""


def test_what_takes_long_shows_a_bar(monkeypatch):
    monkeypatch.setattr("phasic.cli.progress._PATIENCE", 0.0)
    streams = progress_streams(True)
    with ProgressBar(Session(streams), "recording") as bar:
        bar.callback(1, 2)
        bar.callback(2, 2)
    shown = streams.stderr.getvalue()
    assert "recording" in shown
    assert "100%" in shown
    assert "steps/s" in shown
    assert re.search(r"\d:\d\d:\d\d", shown)  # what remains
    assert streams.stdout.getvalue() == ""


@pytest.mark.parametrize(
    ("done", "seconds", "shown"),
    [(123_456, 1.0, "123,000 states/s"), (5, 2.0, "2.5 states/s"), (0, 0.0, "0.0 states/s")],
)
def test_a_rate_has_three_digits(done, seconds, shown):
    assert shown_rate(done, seconds, "states") == shown


STEPS = """
def model(state, n=3000):
    if state.size == 0:
        return [([n], 1.0, [0.0])]
    k = int(state[0])
    return [([k - 1], 0.0, [1.0])] if k else []
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["record", "model.py"],
        ["inspect", "model.py", "--check"],
        ["convert", "model.py", "o.drn"],
        ["evaluate", "model.py", "--theta", "1"],
    ],
    ids=" ".join,
)
def test_exploring_shows_states_and_their_rate_on_a_terminal_only(arguments, place, monkeypatch):
    (place / "model.py").write_text(STEPS)
    monkeypatch.setattr("phasic.cli.progress._PATIENCE", 0.0)
    outcome = phasic(*arguments, terminal=True)
    assert outcome.code == ExitCode.DONE
    assert re.search(r"exploring 2,048 of 2,0\d\d found +[\d,.]+ states/s", outcome.err)
    assert "exploring" not in phasic(*arguments).err


def test_exploring_tells_whoever_watches():
    told = []
    with watched_by(lambda explored, known: told.append((explored, known))):
        assert structured.migration([20, 20]).n_vertices > 500
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    before = len(told)
    structured.migration([3, 3]).n_vertices  # noqa: B018 (explores)
    assert len(told) == before
