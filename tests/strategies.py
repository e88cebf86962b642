"""Random models for Hypothesis, with weights over sixteen orders of magnitude.

Every transient vertex has one edge of positive weight to a later vertex, so that absorption is
certain at theta; all the other edges are free, and may vanish there.
"""

from __future__ import annotations

from hypothesis import strategies as st

from reference.model import Model

SHAPES = ("acyclic", "ring", "digraph", "components")


@st.composite
def magnitudes(draw: st.DrawFn, low: float = -8.0, high: float = 8.0) -> float:
    """A positive number with a uniform logarithm."""
    return 10.0 ** (draw(st.integers(int(low * 1000), int(high * 1000))) / 1000)


@st.composite
def _pairs(draw: st.DrawFn, n_transient: int, n_absorbing: int) -> list[tuple[int, int]]:
    """Edges between vertices: a spine of one edge ahead each, then the shape's own, some twice."""
    n = n_transient + n_absorbing
    shape = draw(st.sampled_from(SHAPES))
    spine = [(v, draw(st.integers(max(v + 1, 0), n - 1))) for v in range(n_transient)]
    if shape == "acyclic":
        free = [(u, v) for u in range(n_transient) for v in range(u + 1, n)]
    elif shape == "ring":
        free = [(v, (v + 1) % n_transient) for v in range(n_transient)]
        free += [(v, n_transient) for v in range(n_transient)]
    elif shape == "digraph":
        free = [(u, v) for u in range(n_transient) for v in range(n)]
    else:
        half = n_transient // 2
        part = [v < half for v in range(n)]
        free = [(u, v) for u in range(n_transient) for v in range(n) if part[u] == part[v] or u < v]
    if shape == "ring":
        chosen = free
    else:
        chosen = draw(st.lists(st.sampled_from(free), max_size=3 * n)) if free else []
    return spine + [(u, v) for u, v in chosen if u != v or draw(st.booleans())]


@st.composite
def continuous_models(draw: st.DrawFn, max_transient: int = 7) -> Model:
    """Rates base + coefficients . theta; one parameter may be 0, and one in (0, 1) comes as theta
    and as 1 - theta."""
    n_transient = draw(st.integers(1, max_transient))
    n_absorbing = draw(st.integers(1, 3))
    n_parameters = draw(st.integers(0, 2)) + 1
    theta = [draw(st.floats(2.0**-20, 1 - 2.0**-20))]
    theta += [draw(st.one_of(st.just(0.0), magnitudes())) for _ in range(n_parameters - 1)]

    def form(positive: bool, alone: bool) -> tuple[float, tuple[float, ...]]:
        # parallel edges add form by form, and a sum of 1 - theta with others may then cancel
        kinds = ["constant", "linear"]
        kinds += (["mixed"] if alone else []) + ([] if positive else ["vanishing"])
        kind = draw(st.sampled_from(kinds))
        scale = draw(magnitudes())
        coefficients = [0.0] * n_parameters
        if kind == "constant":
            return scale, tuple(coefficients)
        if kind == "mixed":
            power = 2.0 ** draw(st.integers(-26, 26))  # c - c theta is then one exact subtraction
            coefficients[0] = -power
            return power, tuple(coefficients)
        k = draw(st.integers(0, n_parameters - 1))
        coefficients[k] = scale
        if kind == "vanishing":
            return 0.0, tuple(coefficients)
        return draw(magnitudes()), tuple(coefficients)

    pairs = draw(_pairs(n_transient, n_absorbing))
    edges = []
    for k, (u, v) in enumerate(pairs):
        alone = pairs.count((u, v)) == 1
        edges.append((u, v, *form(k < n_transient, alone)))
    n = n_transient + n_absorbing
    targets = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=3))
    start = [(v, *form(True, targets.count(v) == 1)) for v in targets]
    return Model(n, start, edges, n_parameters, theta=theta)


@st.composite
def discrete_models(draw: st.DrawFn, max_transient: int = 6) -> Model:
    """Probabilities coefficient * theta with theta <= 1; what a vertex leaves out is its self-loop,
    given explicitly in part."""
    n_transient = draw(st.integers(1, max_transient))
    n_absorbing = draw(st.integers(1, 2))
    theta = [draw(st.floats(2.0**-20, 1.0))]
    pairs = [(u, v) for u, v in draw(_pairs(n_transient, n_absorbing)) if u != v]
    edges: list[tuple[int, int, float, tuple[float, ...]]] = []
    for u in range(n_transient):
        targets = [v for i, v in pairs if i == u]
        shares = [draw(magnitudes(-8, 0)) for _ in targets]
        leaving = draw(st.one_of(magnitudes(-8, -0.01), st.just(0.75)))
        scale = leaving / sum(shares)
        for v, share in zip(targets, shares, strict=True):
            if draw(st.booleans()):
                edges.append((u, v, share * scale, (0.0,)))
            else:
                edges.append((u, v, 0.0, (share * scale,)))
        if draw(st.booleans()):
            edges.append((u, u, (1 - leaving) / 2, (0.0,)))
    n = n_transient + n_absorbing
    targets = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=2))
    start = [(v, draw(magnitudes(-4, 4)), (0.0,)) for v in targets]
    return Model(n, start, edges, 1, discrete=True, theta=theta)


@st.composite
def rewards_for(draw: st.DrawFn, model: Model) -> list[float] | None:
    """No reward (the time itself), or one a vertex, some 0."""
    if draw(st.booleans()):
        return None
    one = st.one_of(st.just(0.0), st.just(1.0), magnitudes(-4, 4))
    return [draw(one) for _ in range(model.n_vertices)]
