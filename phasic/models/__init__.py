"""Ready models: each a batch rule with named parameters, its source cited, tested against it.

=====================================  ========================================================
`coalescent.kingman(n)`                number of lineages until the most recent common ancestor
`coalescent.site_frequency(n)`         lineages by the number of sampled descendants
`structured.migration(n, demes)`       lineages by deme, with migration between demes
`birth_death.overflow(capacity)`       a queue from empty to full
`birth_death.busy_period(capacity)`    a queue from one customer to none
`birth_death.extinction(...)`          a population of independent individuals, until it dies out
=====================================  ========================================================

Every function returns a `phasic.Graph`; its parameters theta are listed in its docstring in order.
The rule that the graph is built from stands beside it (`..._rule`) as a plain function on arrays.
"""

from phasic.models import birth_death, coalescent, structured

__all__ = ["birth_death", "coalescent", "structured"]
