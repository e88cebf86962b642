"""`phasic report`: one page that holds all it needs, with numbers that are known otherwise."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from cli_runner import phasic
from phasic.cli.exit_codes import ExitCode
from phasic.cli.page import Page

KINGMAN = ("phasic.models.coalescent:kingman", "--arg", "n=5", "--theta", "1")
EVIL = "<script>alert(\"1\")</script> & 'co' </title>"
# Elements of HTML that have no end.
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Reader(HTMLParser):
    """Reads a page strictly: whatever begins must end, identifiers are there once."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.ids: list[str] = []
        self.references: list[str] = []
        self.words: dict[str, list[str]] = {}
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        for name, value in attributes:
            assert not name.startswith("on"), name
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "srcset", "action", "data", "xlink:href"):
                self.references.append(value)
            self.references += re.findall(r"url\(([^)]*)\)", value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.words.setdefault(self.open[-1], []).append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    @property
    def fields(self) -> dict[str, str]:
        """By name, as they are said first: the data have a mean too."""
        return {row[0]: row[1] for row in reversed(self.rows) if len(row) == 2}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    home = tmp_path / "place"
    home.mkdir()
    monkeypatch.chdir(home)
    (home / "data").write_text("0.5,1\n1.0,1\n2.5,2\n")
    return home


def page(place, *arguments: str) -> Reader:
    outcome = phasic("report", *arguments, "-o", "out.html")
    assert (outcome.code, outcome.out, outcome.err) == (ExitCode.DONE, "out.html\n", "")
    return Reader((place / "out.html").read_text(encoding="utf-8"))


def test_sizes_and_moments_are_those_of_the_coalescent(place):
    """Waiting times for k lineages are exponential at rate k (k - 1) / 2, independent."""
    fields = page(place, *KINGMAN).fields
    means = [2 / (k * (k - 1)) for k in range(2, 6)]
    cumulants = [sum(math.factorial(r - 1) * mean**r for mean in means) for r in range(1, 5)]
    expected = {
        "mean": cumulants[0],
        "variance": cumulants[1],
        "standard deviation": math.sqrt(cumulants[1]),
        "skewness": cumulants[2] / cumulants[1] ** 1.5,
        "kurtosis (beyond that of a normal one)": cumulants[3] / cumulants[1] ** 2,
        "E[T^2]": cumulants[1] + cumulants[0] ** 2,
    }
    for name, value in expected.items():
        assert float(fields[name]) == pytest.approx(value, rel=1e-11), name
    assert (fields["vertices"], fields["edges"], fields["kind"]) == ("6", "5", "continuous")
    assert len(fields["key"]) == 64


def test_quantiles_and_likelihood_are_those_of_an_exponential(place):
    (place / "model.py").write_text(
        "from phasic import Graph\ngraph = Graph.from_matrices([1.0], [[-2.0]])\n"
    )
    fields = page(place, "model.py", "--data", "data").fields
    for p in ("0.001", "0.5", "0.95", "0.999"):
        assert float(fields[p]) == pytest.approx(-math.log1p(-float(p)) / 2, rel=1e-9)
    assert fields["observations"] == "3"
    assert float(fields["sum of weights"]) == 4
    assert float(fields["log-likelihood"]) == pytest.approx(
        4 * math.log(2) - 2 * (0.5 + 1.0 + 2 * 2.5), rel=1e-9
    )


def test_a_reward_is_reported_in_place_of_time(place):
    """Twice the time of an exponential of rate 2 is one of rate 1."""
    (place / "model.py").write_text(
        "from phasic import Graph\ngraph = Graph.from_matrices([1.0], [[-2.0]])\n"
    )
    (place / "rewards").write_text("0\n2\n0\n")
    read = page(place, "model.py", "--rewards", "rewards", "--data", "data")
    assert float(read.fields["mean"]) == pytest.approx(1, rel=1e-12)
    assert float(read.fields["skewness"]) == pytest.approx(2, rel=1e-12)
    assert float(read.fields["E[Y^3]"]) == pytest.approx(6, rel=1e-12)
    assert float(read.fields["0.5"]) == pytest.approx(math.log(2), rel=1e-9)
    assert float(read.fields["log-likelihood"]) == pytest.approx(-6.5, rel=1e-9)
    assert "Distribution of the reward" in read.words["h2"]
    assert any("--rewards rewards" in text for text in read.words["p"])


def test_epochs_change_the_rate(place):
    """At rate 1 until 0.4, then 2: what is known of exponentials, put together."""
    read = page(place, "phasic.models.coalescent:kingman", "--arg", "n=2", "--theta", "1",
                "--epoch", "0.4:2", "--data", "data")  # fmt: skip
    left = math.exp(-0.4)
    assert float(read.fields["mean"]) == pytest.approx(1 - left / 2, rel=1e-9)
    assert float(read.fields["0.25"]) == pytest.approx(-math.log(0.75), rel=1e-9)
    late = 0.4 + (math.log(left) - math.log(0.05)) / 2
    assert float(read.fields["0.95"]) == pytest.approx(late, rel=1e-9)
    loglik = 4 * math.log(2) - 0.4 * 4 - 2 * (0.1 + 0.6 + 2 * 2.1)
    assert float(read.fields["log-likelihood"]) == pytest.approx(loglik, rel=1e-9)
    assert ["parameter", "theta", "from 0.4 on"] in read.rows
    assert ["0", "1", "2"] in read.rows
    assert "skewness" not in read.fields
    assert "States and rates, until 0.4" in read.words["figcaption"]


def test_the_page_needs_nothing_but_itself(place):
    read = page(place, *KINGMAN, "--data", "data")
    text = (place / "out.html").read_text()
    assert read.count["svg"] == 4
    assert "script" not in read.count
    assert not {"link", "img", "iframe", "object", "embed"} & read.count.keys()
    assert read.references
    assert {reference.lstrip("#") for reference in read.references} <= set(read.ids)
    assert all(reference.startswith("#") for reference in read.references)
    assert len(set(read.ids)) == len(read.ids)
    assert "://" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_all_text_is_escaped(place):
    read = page(place, *KINGMAN, "--title", EVIL)
    assert "script" not in read.count
    assert read.words["title"] == read.words["h1"] == [EVIL]
    name = "<b>&\"'.py"
    (place / name).write_text("from phasic.models.coalescent import kingman\n")
    read = page(place, f"{name}:kingman", "--arg", "n=3", "--theta", "1")
    assert "b" not in read.count
    assert read.words["h1"] == [f"{name}:kingman"]


def test_whatever_is_put_on_a_page_is_text():
    made = Page(EVIL)
    made.heading(EVIL)
    made.note(EVIL)
    made.fields({EVIL: EVIL})
    made.table([EVIL, EVIL], [[EVIL, EVIL]])
    made.picture("<svg></svg>", EVIL)
    read = Reader(made.html())
    assert "script" not in read.count
    assert [read.words[tag] for tag in ("title", "h1", "h2", "p", "figcaption")] == [[EVIL]] * 5
    assert read.rows == [[EVIL, EVIL]] * 3


def test_the_same_question_has_the_same_page(place):
    page(place, *KINGMAN, "--data", "data")
    first = (place / "out.html").read_bytes()
    page(place, *KINGMAN, "--data", "data")
    assert (place / "out.html").read_bytes() == first


def test_a_large_model_has_no_picture_of_its_states(place):
    read = page(place, "phasic.models.coalescent:site_frequency", "--arg", "n=15", "--theta", "1")
    assert read.count["svg"] == 3
    assert any("too many to draw" in text for text in read.words["p"])


def test_a_discrete_model_has_probabilities(place):
    (place / "model.py").write_text(
        "from phasic import Graph\ngraph = Graph.from_matrices([1.0], [[0.75]], discrete=True)\n"
    )
    read = page(place, "model.py")
    assert "Probabilities" in read.words["figcaption"]
    assert float(read.fields["mean"]) == pytest.approx(4, rel=1e-12)


def test_json_names_the_file(place):
    data = phasic("report", *KINGMAN, "--json").envelope["data"]
    assert data == {"path": "report.html", "bytes": (place / "report.html").stat().st_size}


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (KINGMAN[:3], "THETA_NOT_SET", ExitCode.USAGE),
        ((*KINGMAN, "--data", "none"), "FILE_NOT_FOUND", ExitCode.NO),
        ((*KINGMAN, "--data", "empty"), "PLOT_DATA", ExitCode.NO),
        ((*KINGMAN[:3], "--theta", "-1"), "WEIGHT_NEGATIVE", ExitCode.NO),
        ((*KINGMAN, "--rewards", "empty"), "REWARDS_LENGTH", ExitCode.NO),
        ((*KINGMAN, "--epoch", "1"), "USAGE", ExitCode.USAGE),
        ((*KINGMAN, "--epoch", "1:2", "--rewards", "six"), "EPOCHS", ExitCode.NO),
        ((*KINGMAN, "-o", "none/a.html"), "OPERATING_SYSTEM", ExitCode.ENVIRONMENT),
    ],
    ids=["theta", "data", "empty", "negative", "rewards", "epoch", "both", "place"],
)
def test_what_is_refused_leaves_no_page(arguments, code, exit_code, place):
    (place / "empty").write_text("")
    (place / "six").write_text("1\n" * 6)
    outcome = phasic("report", *arguments, "--json")
    assert (outcome.envelope["error"]["code"], outcome.code) == (code, exit_code)
    assert not list(place.glob("**/*.html"))


def test_without_matplotlib_the_remedy_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    outcome = phasic("report", *KINGMAN, "--json")
    assert outcome.code == ExitCode.ENVIRONMENT
    assert "pip install 'phasic[plot]'" in outcome.envelope["error"]["hint"]


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
def test_a_browser_shows_it(place):
    page(place, *KINGMAN, "--data", "data", "--title", EVIL)
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         "--dump-dom", (place / "out.html").as_uri()],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.count("<svg") == 4
    assert "<script" not in done.stdout
    assert "CONSOLE" not in done.stderr  # where what the page's policy refuses is told
