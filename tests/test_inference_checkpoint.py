"""Checkpoints: a killed fit goes on to the same bits; what is no checkpoint of it is refused."""

from __future__ import annotations

import numpy as np
import optax
import pytest

from inference_models import DATA, exponential
from phasic.errors import FormatError
from phasic.inference import SVGD, Gamma
from phasic.models import coalescent


def make(path=None, **options):
    options = {
        "prior": Gamma(3, 2),
        "n_particles": 20,
        "n_iterations": 60,
        "every": 7,
        "progress": False,
        "optimizer": optax.adam(0.05),
        **options,
    }
    data = options.pop("data", DATA)
    model = options.pop("model", exponential)
    return SVGD(model, data, 1, checkpoint=path, **options)


def twice(theta, times):
    return exponential(2 * theta, times)


twice.__qualname__ = exponential.__qualname__


class Killed(Exception):
    pass


@pytest.mark.parametrize("minibatch", [None, 3])
def test_a_killed_fit_goes_on_to_the_same_bits(tmp_path, minibatch):
    path = tmp_path / "fit.npz"
    whole = make(minibatch=minibatch).fit()

    def kill(done, total):
        if done > 30:
            raise Killed

    with pytest.raises(Killed):
        make(path, minibatch=minibatch, progress=kill).fit()
    with np.load(path, allow_pickle=False) as stored:
        assert 0 < stored["iterations"][-1] < 60
    resumed = make(path, minibatch=minibatch).fit()
    np.testing.assert_array_equal(resumed.particles, whole.particles)
    np.testing.assert_array_equal(resumed.trace, whole.trace)
    assert resumed.trace_iterations.tolist() == whole.trace_iterations.tolist()
    again = make(path, minibatch=minibatch).fit()  # nothing is left to do
    np.testing.assert_array_equal(again.particles, whole.particles)
    assert [p.name for p in tmp_path.iterdir()] == ["fit.npz"]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"data": DATA + 1}, "data"),
        ({"prior": Gamma(3, 3)}, "parameters"),
        ({"seed": 1}, "seed"),
        ({"n_particles": 21}, "n_particles"),
        ({"model": coalescent.kingman(2)}, "models"),
        ({"optimizer": 0.1}, "optimiser"),
        ({"optimizer": optax.cosine_decay_schedule(0.5, 9)}, "optimiser makes other steps"),
        ({"model": twice}, "log density"),
    ],
)
def test_another_problem_is_refused(tmp_path, options, what):
    path = tmp_path / "fit.npz"
    make(path, n_iterations=7).fit()
    before = path.read_bytes()
    with pytest.raises(FormatError, match=what) as caught:
        make(path, **{"n_iterations": 7, **options}).fit()
    assert caught.value.code == "CHECKPOINT_OTHER"
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_checkpoint(tmp_path, content):
    path = tmp_path / "fit.npz"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        make(path).fit()
    assert caught.value.code == "CHECKPOINT_INVALID"
    assert path.read_bytes() == content


def test_a_checkpoint_that_lacks_something_or_was_cut(tmp_path):
    path = tmp_path / "fit.npz"
    make(path, n_iterations=7).fit()
    whole = path.read_bytes()
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for name in arrays:
        np.savez(path, **{other: array for other, array in arrays.items() if other != name})
        with pytest.raises(FormatError):
            make(path, n_iterations=7).fit()
    header = b'{"format": "phasic-svgd/1", "problem": [1]}'
    np.savez(path, **{**arrays, "header": np.frombuffer(header, np.uint8)})
    with pytest.raises(FormatError):
        make(path, n_iterations=7).fit()
    for length in (10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError):
            make(path, n_iterations=7).fit()


def test_a_pickle_is_not_opened(tmp_path):
    path = tmp_path / "fit.npz"
    np.savez(path, header=np.array([{"a": 1}], dtype=object))
    with pytest.raises(FormatError) as caught:
        make(path).fit()
    assert caught.value.code == "CHECKPOINT_INVALID"


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        make(tmp_path / "nowhere" / "fit.npz").fit()


def test_a_fit_that_rests_stays_at_rest(tmp_path):
    path = tmp_path / "fit.npz"
    options = {"tolerance": 0.2, "n_iterations": 500, "optimizer": 0.3}
    first, second = make(path, **options).fit(), make(path, **options).fit()
    assert first.rests
    assert second.rests
    assert first.iterations == second.iterations < 500
    np.testing.assert_array_equal(first.particles, second.particles)
