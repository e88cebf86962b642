"""Places of vertices: columns by distance, rows without overlap, few crossings; labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasic.plots.geometry import Box, between, bow, loop, place_labels, through
from phasic.plots.layout import crossings, distances, isotonic, lay_out


@st.composite
def digraphs(draw):
    n = draw(st.integers(1, 9))
    vertex = st.integers(0, n - 1)
    return n, draw(st.lists(st.tuples(vertex, vertex), max_size=25, unique=True))


@given(digraphs())
@settings(max_examples=80, deadline=None)
def test_columns_are_distances_and_vertices_have_room(graph):
    n, edges = graph
    layout = lay_out(n, edges)
    column = layout.column
    assert column[0] == 0
    for source, target in edges:
        if column[source] >= 0:
            assert 0 <= column[target] <= column[source] + 1
    for vertex in range(1, n):
        if column[vertex] > 0:
            before = [s for s, t in edges if t == vertex and column[s] == column[vertex] - 1]
            assert before
    for at in set(column[column >= 0].tolist()):
        rows = np.sort(layout.row[column == at])
        assert (np.diff(rows) >= 1 - 1e-9).all()
    assert np.isfinite(layout.row).all()


@given(digraphs())
@settings(max_examples=80, deadline=None)
def test_edges_back_over_columns_have_a_bend_in_each(graph):
    n, edges = graph
    layout = lay_out(n, edges)
    for number, (source, target) in enumerate(edges):
        span = layout.column[source] - layout.column[target]
        points = layout.bends.get(number, [])
        if layout.column[source] >= 0 and source != target and span > 1:
            expected = list(range(layout.column[source] - 1, layout.column[target], -1))
            assert [x for x, _ in points] == expected
        else:
            assert points == []


def test_what_is_not_reached_has_no_column():
    assert distances(4, [(0, 1), (2, 3)]).tolist() == [0, 1, -1, -1]


def test_crossings_are_counted_and_lessened():
    assert crossings([[0, 1], [2, 3]], [(0, 3), (1, 2)]) == 1
    assert crossings([[0, 1], [2, 3]], [(0, 2), (1, 3)]) == 0
    # Two paths whose second vertices come in the wrong order.
    edges = [(0, 1), (0, 2), (1, 4), (2, 3)]
    layout = lay_out(5, edges)
    assert (layout.row[1] - layout.row[2]) * (layout.row[4] - layout.row[3]) > 0


@given(st.lists(st.floats(-100, 100), max_size=12))
def test_the_closest_sequence_that_ascends(values):
    fitted = isotonic(np.array(values, dtype=float))
    assert len(fitted) == len(values)
    assert (np.diff(fitted) >= -1e-12).all()
    # Least squares over a cone: the residual is orthogonal to the fit, and its tails sum to <= 0.
    residual = np.array(values, dtype=float) - fitted
    assert abs(residual @ fitted) < 1e-6
    assert (np.cumsum(residual[::-1]) <= 1e-6).all()


def test_curves_end_at_the_borders_of_boxes():
    a, b = Box(0, 0, 30, 20), Box(100, 40, 30, 20)
    ends = np.array([[0.0, 0.0], [100.0, 40.0]])
    for curve in (bow(ends[0], ends[1], 9.0), through([ends[0], np.array([50.0, 80.0]), ends[1]])):
        cut = between(curve, a, b)
        assert not a.holds(cut).any()
        assert not b.holds(cut).any()
        assert a.holds(cut[:1], margin=3.0).all()
        assert b.holds(cut[-1:], margin=3.0).all()


def test_a_bow_leaves_the_line_to_its_left():
    curve = bow(np.array([0.0, 0.0]), np.array([100.0, 0.0]), 9.0)
    assert curve[:, 1].max() == pytest.approx(9.0, rel=1e-2)
    assert curve[:, 1].min() >= 0


def test_a_loop_stands_on_its_box():
    box = Box(5, 5, 30, 20)
    curve = loop(box, 9.0)
    assert not box.holds(curve).any()
    assert curve[:, 1].max() > box.y + box.height / 2 + 9


def test_labels_keep_away_from_each_other_and_from_vertices():
    lines = [bow(np.array([0.0, 0.0]), np.array([100.0, 0.0]), 0.0)] * 2
    boxes = [Box(50, 0, 20, 10)]
    first, second = place_labels(lines, [(12, 8), (12, 8)], boxes)
    assert first.overlap(second) == 0
    assert first.overlap(boxes[0]) == second.overlap(boxes[0]) == 0


def test_overlap_is_the_common_area():
    assert Box(0, 0, 4, 2).overlap(Box(3, 0, 4, 2)) == 2
    assert Box(0, 0, 4, 2).overlap(Box(9, 0, 4, 2)) == 0
    assert Box(0, 0, 10, 10).overlap(Box(0, 0, 2, 3)) == 6
