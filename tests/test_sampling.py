"""`Distribution.sample` and its kin: one stream whoever draws it, moments of what is drawn."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest

from phasic import Distribution, Graph, NumericError, PhasicWarning
from phasic import sampling as sampling_module
from phasic.models import birth_death, coalescent, structured
from phasic.sampling import Path
from rules import queue_graph

SEED = 20260101


def loop() -> Graph:
    """Continuous, with a cycle, two ends (states 8 and 9) and mass at zero."""

    def model(s):
        if s.size == 0:
            return [([1], 0.7), ([2], 0.1), ([9], 0.2)]
        return {
            1: [([2], 0.0, [2.0, 0.0]), ([3], 0.0, [0.0, 1.0])],
            2: [([1], 1.0, [0.0, 0.0]), ([8], 0.0, [0.5, 0.0])],
            3: [([2], 0.5, [0.0, 0.0]), ([9], 0.0, [0.0, 2.0])],
        }.get(int(s[0]), [])

    return Graph(callback=model)


def steps() -> Graph:
    """Discrete, with self-loops written and implied."""

    def model(s):
        if s.size == 0:
            return [([1], 1.0)]
        return {
            1: [([1], 0.0, [0.5]), ([2], 0.0, [0.25]), ([9], 0.125, [0.0])],
            2: [([1], 0.0, [0.25]), ([8], 0.0, [0.5])],
        }.get(int(s[0]), [])

    return Graph(callback=model, discrete=True)


def trap() -> Graph:
    """Absorbed with probability 1/2; else for ever between two states."""

    def model(s):
        if s.size == 0:
            return [([1], 1.0)]
        return {
            1: [([2], 1.0), ([4], 1.0)],
            2: [([3], 1.0)],
            3: [([2], 1.0)],
        }.get(int(s[0]), [])

    return Graph(callback=model, improper=True)


MODELS = {
    "kingman": lambda: coalescent.kingman(8).at([1.3]),
    "site frequency": lambda: coalescent.site_frequency(6).at([0.7]),
    "islands": lambda: structured.migration([2, 2]).at([1.0, 0.6]),
    "queue": lambda: queue_graph().at([0.5, 1.0]),
    "loop": lambda: loop().at([1.5, 0.4]),
    "steps": lambda: steps().at([0.9]),
}


@pytest.fixture(params=MODELS)
def at(request: pytest.FixtureRequest) -> Distribution:
    return MODELS[request.param]()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads_draws_the_same(at, threads, monkeypatch) -> None:
    expected = at.sample(5000, seed=SEED, threads=1)
    rows = np.random.default_rng(1).random((3, at.trace.n_vertices))
    amounts = at.sample_multivariate(5000, rows, seed=SEED, threads=1)
    # small chunks, so that there is something to share
    monkeypatch.setattr(sampling_module, "_MOST_CHUNK", 173)
    assert np.array_equal(at.sample(5000, seed=SEED, threads=threads), expected)
    times, _ = at.sample_final(5000, seed=SEED, threads=threads)
    assert np.array_equal(times, expected)
    found = at.sample_multivariate(5000, rows, seed=SEED, threads=threads)
    assert np.array_equal(found, amounts)


def test_several_threads_of_the_caller_share_a_sampler() -> None:
    at = loop().at([1.5, 0.4])
    found: dict[int, np.ndarray] = {}

    def draw(number: int) -> None:
        found[number] = at.sample(2000, seed=SEED, first=number * 2000, threads=1)

    workers = [threading.Thread(target=draw, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    parts = np.concatenate([found[number] for number in range(3)])
    assert np.array_equal(parts, at.sample(6000, seed=SEED))


def test_the_stream_is_the_one_that_it_was() -> None:
    # Philox4x32-10 of seed 1, block 1 of samples 0 and 1, by the generator's definition: see
    # tests/engine/test_random.c. An exponential of rate 2 is half of -log of its upper 53 bits.
    at = Graph.from_matrices([1.0], [[-2.0]]).at()
    uniforms = np.exp(-2 * at.sample(2, seed=1))
    expected = [(_philox(1, number)[0] >> 11) + 1 for number in range(2)]
    np.testing.assert_allclose(uniforms * 2.0**53, expected, rtol=1e-14)


def _philox(seed: int, number: int, block: int = 1) -> list[int]:
    """Philox4x32-10 as Salmon et al. (2011) write it down: two words of 64 bits."""
    counter = [block % 2**32, block >> 32, number % 2**32, number >> 32]
    key = [seed % 2**32, seed >> 32]
    for _ in range(10):
        high0, low0 = divmod(counter[0] * 0xD2511F53, 2**32)
        high1, low1 = divmod(counter[2] * 0xCD9E8D57, 2**32)
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return [counter[0] + (counter[1] << 32), counter[2] + (counter[3] << 32)]


def test_times_rewards_ends_and_paths_are_of_the_same_paths(at) -> None:
    n, first = 300, 40
    rewards = np.random.default_rng(2).random((2, at.trace.n_vertices))
    times = at.sample(n, seed=SEED, first=first)
    amounts = at.sample_multivariate(n, rewards, seed=SEED, first=first)
    again, ends = at.sample_final(n, seed=SEED, first=first)
    paths = at.sample_paths(n, seed=SEED, first=first)
    assert np.array_equal(again, times)
    assert np.array_equal(at.sample(n, seed=SEED, rewards=rewards[1], first=first), amounts[:, 1])
    probabilities = at.absorption_probabilities()
    for k, path in enumerate(paths):
        assert isinstance(path, Path)
        assert path.vertices.shape == path.times.shape
        assert path.times[0] == 0
        assert path.times[-1] == times[k]
        assert path.vertices[-1] == ends[k]
        assert probabilities[ends[k]] > 0
        stays = np.diff(path.times)
        collected = rewards[:, path.vertices[:-1]] @ stays
        assert amounts[k] == pytest.approx(collected, rel=1e-12)


def test_a_path_moves_along_edges() -> None:
    graph = loop()
    edges = {(int(u), int(v)) for u, v in zip(*graph.edges()[:2], strict=True)}
    for path in graph.at([1.5, 0.4]).sample_paths(200, seed=SEED):
        steps_taken = [0, *path.vertices.tolist()]
        assert set(pairwise(steps_taken)) <= edges


def test_a_path_longer_than_the_first_guess() -> None:
    at = birth_death.overflow(12).at([1.0, 1.5])
    path = max(at.sample_paths(50, seed=3), key=lambda path: path.times.size)
    assert path.times.size > 5000
    assert (np.diff(path.times) > 0).all()


def test_moments_are_near_the_exact_ones(at) -> None:
    n, sigmas = 40_000, 4.5
    moments = at.moments(4)
    for k, values in ((1, at.sample(n, seed=SEED)), (2, at.sample(n, seed=SEED + 1) ** 2)):
        spread = np.sqrt((moments[2 * k - 1] - moments[k - 1] ** 2) / n)
        assert abs(values.mean() - moments[k - 1]) < sigmas * spread
    # a distribution that is 10% off is out of reach
    assert abs(1.1 * at.sample(n, seed=SEED).mean() - at.mean()) > sigmas * at.std() / np.sqrt(n)


def test_rewards_have_their_means_and_covariances(at) -> None:
    n, sigmas = 40_000, 4.5
    rewards = np.random.default_rng(4).integers(0, 3, (3, at.trace.n_vertices))
    drawn = at.sample_multivariate(n, rewards, seed=SEED)
    means, covariances = at.mean_vector(rewards), at.covariance_matrix(rewards)
    assert (np.abs(drawn.mean(axis=0) - means) <= sigmas * np.sqrt(np.diag(covariances) / n)).all()
    centred = drawn - means
    for i in range(3):
        for j in range(3):
            products = centred[:, i] * centred[:, j]
            spread = products.std() / np.sqrt(n)
            assert abs(products.mean() - covariances[i, j]) <= sigmas * spread


def test_ends_have_their_probabilities(at) -> None:
    n, sigmas = 40_000, 4.5
    times, ends = at.sample_final(n, seed=SEED)
    exact = at.absorption_probabilities()
    found = np.bincount(ends, minlength=exact.size) / n
    assert (np.abs(found - exact) <= sigmas * np.sqrt(exact * (1 - exact) / n) + 1e-12).all()
    at_zero = at.defect()
    spread = np.sqrt(at_zero * (1 - at_zero) / n)
    assert abs((times == 0).mean() - at_zero) <= sigmas * spread


def test_discrete_times_are_whole() -> None:
    times = steps().at([0.9]).sample(1000, seed=SEED)
    assert times.dtype == np.float64
    assert (times == np.floor(times)).all()
    assert times.min() == 1


def test_paths_without_end() -> None:
    with pytest.warns(PhasicWarning, match="absor"):
        at = trap().at()
    times, ends = at.sample_final(4000, seed=SEED)
    never = ends == -1
    assert np.array_equal(np.isinf(times), never)
    assert abs(never.mean() - 0.5) < 4 / np.sqrt(4 * 4000)
    # states 0 (start), 1, 2, 3, 4: the reward of the trap is collected for ever, that of 1 is not
    amounts = at.sample_multivariate(4000, [[0, 1, 0, 0, 0], [0, 0, 0, 1, 0]], seed=SEED)
    assert np.isfinite(amounts[:, 0]).all()
    assert np.array_equal(np.isinf(amounts[:, 1]), never)
    assert (amounts[~never, 1] == 0).all()
    for path, end in zip(at.sample_paths(50, seed=SEED), ends, strict=False):
        assert path.vertices.tolist() == ([1, 2] if end == -1 else [1, 4])


def test_without_a_seed_samples_are_fresh() -> None:
    at = MODELS["kingman"]()
    assert not np.array_equal(at.sample(5), at.sample(5))


def test_the_graph_at_its_own_theta() -> None:
    graph = coalescent.kingman(5)
    graph.update_parameterized_weights([2.0])
    at = graph.at([2.0])
    rewards = np.arange(graph.n_vertices)
    assert np.array_equal(graph.sample(9, seed=1), at.sample(9, seed=1))
    expected = at.sample(9, seed=1, rewards=rewards)
    assert np.array_equal(graph.sample(9, seed=1, rewards=rewards), expected)
    both = graph.sample_multivariate(9, [rewards, rewards], seed=1)
    assert np.array_equal(both, np.column_stack([expected, expected]))
    assert np.array_equal(graph.sample_final(9, seed=1)[1], at.sample_final(9, seed=1)[1])
    for found, path in zip(graph.sample_paths(3, seed=1), at.sample_paths(3, seed=1), strict=True):
        assert np.array_equal(found.times, path.times)


def test_none_and_numpy_integers() -> None:
    at = MODELS["loop"]()
    assert at.sample(0).shape == (0,)
    assert at.sample_multivariate(0, np.ones((2, at.trace.n_vertices))).shape == (0, 2)
    assert [part.shape for part in at.sample_final(0)] == [(0,), (0,)]
    assert at.sample_paths(0) == []
    found = at.sample(np.int32(3), seed=np.uint64(2**64 - 1), first=np.int64(2))
    assert np.array_equal(found, at.sample(5, seed=2**64 - 1)[2:])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ({"n": -1}, "SAMPLE_NUMBER", "number of samples is -1"),
        ({"n": 2.0}, "SAMPLE_NUMBER", "2.0, not a whole number"),
        ({"n": True}, "SAMPLE_NUMBER", "True"),
        ({"n": None}, "SAMPLE_NUMBER", "None"),
        ({"seed": -1}, "SAMPLE_NUMBER", "the seed is -1"),
        ({"seed": 2**64}, "SAMPLE_NUMBER", "the seed is 18446744073709551616"),
        ({"seed": "1"}, "SAMPLE_NUMBER", "the seed is '1'"),
        ({"first": -1}, "SAMPLE_NUMBER", "first sample is -1"),
        ({"first": 2**63}, "SAMPLE_NUMBER", "first sample"),
        ({"rewards": [1.0, 2.0]}, "REWARD_LENGTH", "shape (2,)"),
        ({"rewards": ["a"] * 6}, "NOT_NUMBERS", "no numbers"),
        ({"rewards": [0, 0, -1, 0, 0, 0]}, "REWARD_INVALID", "vertex (2,)"),
        ({"rewards": [0, 0, np.nan, 0, 0, 0]}, "REWARD_INVALID", "vertex (2,)"),
        ({"n": 0, "rewards": [0, 0, -1, 0, 0, 0]}, "REWARD_INVALID", "vertex (2,)"),
        ({"n": 10**17}, "SAMPLES_TOO_LONG", "100,000,000,000,000,000 paths"),
    ],
)
def test_bad_arguments(arguments, code, says) -> None:
    with pytest.raises(NumericError, match=r"^FATAL: ") as caught:
        MODELS["loop"]().sample(**{"n": 3, "seed": 1, **arguments})
    assert caught.value.code == code
    assert says in str(caught.value)


def test_bad_reward_rows() -> None:
    at = MODELS["loop"]()
    for rows in ([], np.ones(at.trace.n_vertices), np.ones((2, 3))):
        with pytest.raises(NumericError) as caught:
            at.sample_multivariate(3, rows)
        assert caught.value.code == "REWARD_LENGTH"


def test_a_bad_theta_is_told_as_for_moments() -> None:
    for theta in ([-1.0, 1.0], [0.0, 0.0]):
        at = queue_graph().at(theta)
        with pytest.raises(NumericError) as sampled:
            at.sample(3)
        with pytest.raises(NumericError) as asked:
            at.mean()
        assert str(sampled.value) == str(asked.value)


def test_times_beyond_double() -> None:
    at = Graph.from_matrices([1.0], [[-1e-307]]).at()
    assert np.isfinite(at.sample(1000, seed=1)).all()
    with pytest.raises(NumericError, match="range of double"):
        at.sample(1000, seed=1, rewards=[0.0, 1e300, 0.0])


def test_paths_too_long_to_be_walked_are_refused_at_once() -> None:
    at = birth_death.overflow(40).at([1.0, 3.0])
    for draw in (at.sample, at.sample_final, at.sample_paths):
        with pytest.raises(NumericError) as caught:
            draw(1)
        assert caught.value.code == "SAMPLES_TOO_LONG"
        assert "quantile" in str(caught.value)
