"""Models declared as named transitions, with rates and guards written as on paper.

`Process` takes `Transition`s and is compiled to a batch rule; `expressions` reads the formulas. A
formula is data: it is parsed, checked against a short list of operations, and never run as Python.
"""

from phasic.declared.process import Process
from phasic.declared.transition import Transition

__all__ = ["Process", "Transition"]
