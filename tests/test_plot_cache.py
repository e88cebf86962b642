"""The picture of the cache's use: its bars are the numbers of `phasic cache info`."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from cli_runner import phasic
from phasic.cache.counts import EVENTS
from phasic.cli.exit_codes import ExitCode
from phasic.errors import CacheError, PhasicWarning
from phasic.models import coalescent
from phasic.plots import plot_cache_use, style
from phasic.trace_cache import CacheUse, get_cache_use

COUNTS = dict.fromkeys(EVENTS, 0)


def bars(axes):
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    return dict(zip(names, [patch.get_width() for patch in axes.patches], strict=True))


def words(figure):
    return " ".join(text.get_text() for row in figure.subfigs for text in row.texts)


def test_bars_are_what_happened():
    for n in (3, 4, 4, 4):
        coalescent.kingman(n).compute_trace()
    figure = plot_cache_use()
    counted, ages, sizes = map(bars, figure.axes)
    assert (counted["hits"], counted["misses"], counted["saved"]) == (2, 2, 2)
    assert set(counted) == {name.replace("_", " ") for name in EVENTS}
    colours = [to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches]
    blue = [name for name, colour in zip(counted, colours, strict=True) if colour == style.BLUE]
    assert blue == ["hits", "saved"]
    assert {to_hex(patch.get_facecolor()) for patch in figure.axes[1].patches} == {style.BLUE}
    assert (ages["< 1 hour"], sum(ages.values())) == (2, 2)
    assert (sizes["< 4 KiB"], sum(sizes.values())) == (2, 2)
    assert "50 % of 4 found" in words(figure)
    data = phasic("cache", "info", "--json").envelope["data"]
    assert {name: data[name] for name in EVENTS} == get_cache_use()["counts"]


def test_a_cache_that_does_not_exist_is_empty():
    figure = plot_cache_use()
    assert sum(sum(bars(axes).values()) for axes in figure.axes) == 0
    assert "0 traces" in words(figure)


def test_a_shared_tier_has_a_row_of_its_own(tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    monkeypatch.setenv("PHASIC_CACHE_SHARED_DIR", str(shared))
    coalescent.kingman(5).compute_trace()
    figure = plot_cache_use()
    assert len(figure.axes) == 6
    assert bars(figure.axes[3])["saved"] == 1
    assert "Cache: shared" in " ".join(row.get_suptitle() for row in figure.subfigs)


def test_a_shared_tier_that_is_gone_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_SHARED_DIR", str(tmp_path / "gone"))
    with pytest.warns(PhasicWarning, match="CACHE_TIER_DOWN"):
        use = get_cache_use("shared")
    assert use["problem"]
    figure = plot_cache_use()
    said = " ".join(text.get_text() for text in figure.axes[4].texts).replace("\n", " ")
    assert said.startswith("cannot be asked: ")


def test_a_local_cache_that_is_not_trusted(cache_directory):
    cache_directory.mkdir()
    cache_directory.chmod(0o777)
    with pytest.raises(CacheError):
        plot_cache_use()


@pytest.mark.parametrize(
    "use",
    [
        CacheUse(directory="/a" * 300, problem="it is $gone$ " * 60, counts=COUNTS),
        CacheUse(
            directory="/c/$x_{$",
            problem=None,
            counts={**COUNTS, "hits": 10**15, "misses": 1},
            traces=1,
            bytes=2**62,
            pinned=0,
            quarantined=0,
            not_counted=None,
            ages={"< 1 hour": 10**9},
            sizes={"< 4 KiB": 10**9},
        ),
    ],
    ids=["gone", "huge"],
)
def test_whatever_it_says_stays_within_the_picture(use):
    figure = plot_cache_use({"shared": use})
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    shown = [text for row in figure.subfigs for text in row.texts]
    shown += [text for axes in figure.axes for text in axes.texts]
    for text in shown:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0, text.get_text()
        assert box.x1 <= figure.bbox.x1, text.get_text()
    if use["problem"] is None:
        assert "99.9 % of" in words(figure)


def test_the_command_draws_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = phasic("cache", "plot", "-o", "cache.svg")
    assert (outcome.code, outcome.out) == (ExitCode.DONE, "cache.svg\n")
    assert "<svg" in (tmp_path / "cache.svg").read_text()
    assert phasic("cache", "plot", "-o", "cache.pdf").code == ExitCode.USAGE
