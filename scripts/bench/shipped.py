"""How fast the models that ship are made and explored: states a second of one core's CPU."""

import time
from typing import Any

from results import Figure, Results

from phasic.models.catalogue import Entry, entries

LEAST = 100_000
_ROUNDS = 5
_SECONDS = 0.1
_ERLANG = ([1.0, 0.0], [[-2.0, 2.0], [0.0, -2.0]])
_HYPER = ([0.5, 0.5], [[-2.0, 0.0], [0.0, -3.0]])

# Where a state has an edge to each of the others, or a parameter of its own, models are small.
SIZES: dict[str, dict[str, Any]] = {
    "overflow": {"capacity": 2000},
    "busy_period": {"capacity": 2000},
    "extinction": {"initial": 1, "capacity": 2000},
    "kingman": {"n": 2000},
    "site_frequency": {"n": 25},
    "sir": {"population": 60},
    "seir": {"population": 25},
    "sis": {"population": 2000},
    "isolation_with_migration": {"n": [3, 3]},
    "beta": {"n": 40, "alpha": 1.5},
    "dirac": {"n": 40, "psi": 0.3},
    "beta_site_frequency": {"n": 10, "alpha": 1.5},
    "dirac_site_frequency": {"n": 10, "psi": 0.3},
    "erlang": {"stages": 2000},
    "hypoexponential": {"stages": 40},
    "hyperexponential": {"branches": 40},
    "coxian": {"stages": 40},
    "moran": {"population": 2000},
    "wright_fisher": {"population": 40},
    "tandem": {"first": 60, "second": 60},
    "ph_ph_1": {"arrival": _ERLANG, "service": _HYPER, "capacity": 500},
    "k_out_of_n": {"n": 2000, "k": 1},
    "standby": {"units": 2000},
    "seed_bank": {"active": 60},
    "migration": {"n": 30, "demes": 3},
    "two_locus": {"n": 30},
    "gamblers_ruin": {"capital": 1, "target": 2000},
    "coupon_collector": {"coupons": 2000},
}
TOO_SMALL = ("illness_death",)
"""Models of a fixed number of states, a handful, of which a rate says nothing."""


def states_per_second(entry: Entry) -> tuple[int, float]:
    """(states, states a second) of a model at its size: the best of as many rounds as fill time."""
    spent: list[float] = []
    while len(spent) < _ROUNDS or sum(spent) < _SECONDS:
        began = time.process_time()
        n_vertices = entry.function(**SIZES[entry.name]).n_vertices
        spent.append(time.process_time() - began)
    return n_vertices, n_vertices / min(spent)


def run(results: Results) -> None:
    """Adds a figure for each model."""
    for entry in entries():
        if entry.name in TOO_SMALL:
            continue
        states, rate = states_per_second(entry)
        name = f"built from its rule: {entry.name}, {states:,} states"
        results.figures.append(Figure(name, rate, "states/s", at_least=LEAST))
