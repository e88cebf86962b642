"""The n-th allocation fails, for every n, under the address sanitizer."""

from __future__ import annotations

from checks import sanitizers
from checks.commands import must_fire, run
from checks.sandbox import Sandbox

# What the program, or the sanitizer that watches it, says of each planted bug.
PLANTED = {
    "unchecked": "store to null pointer",
    "leak": "LeakSanitizer: detected memory leaks",
    "swallowed": "not so: status == PTD_NO_MEMORY",
    "other-status": "not so: status == PTD_NO_MEMORY",
    "evaluation": "not so: allocations == before",
}


def failures(sandbox: Sandbox) -> None:
    program = sanitizers.address_build(sandbox) / "test_allocation_failure"
    for bug, sign in PLANTED.items():
        must_fire("allocation", [program, bug], [sign], extra=sanitizers.c_variables())
    run([program], extra=sanitizers.c_variables())
