"""Ready models: each a batch rule with named parameters, its source cited, tested against it.

`phasic models` lists them, `catalogue` is that list in Python. Every public function of a module
here that returns a `phasic.Graph` is a model; its parameters theta stand in its docstring in order.
Where the rule is not declared as transitions, it stands beside the model (`..._rule`) as a plain
function on arrays.
"""

from phasic.models import (
    birth_death,
    coalescent,
    epidemics,
    isolation,
    multiple_mergers,
    phase_types,
    populations,
    queues,
    reliability,
    seed_bank,
    structured,
    survival,
    two_locus,
    walks,
)

__all__ = [
    "birth_death",
    "coalescent",
    "epidemics",
    "isolation",
    "multiple_mergers",
    "phase_types",
    "populations",
    "queues",
    "reliability",
    "seed_bank",
    "structured",
    "survival",
    "two_locus",
    "walks",
]
