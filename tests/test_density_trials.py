"""Random models against the oracle, and the harness against answers that are moved."""

from __future__ import annotations

import density_trials


def test_no_answer_is_outside_its_bound() -> None:
    tally = density_trials.run(600, seed=1)
    assert tally.outside == []
    assert tally.answered.total() >= 400, tally.table()
    families = {family for family, _ in tally.answered}
    assert families == set(density_trials.FAMILIES)
    assert {method for _, method in tally.answered} == set(density_trials.METHODS)


def test_answers_that_are_moved_beyond_their_bound_are_found() -> None:
    tally = density_trials.run(600, seed=1, planted=True)
    assert tally.moved >= 4
    assert len(tally.outside) == tally.moved
