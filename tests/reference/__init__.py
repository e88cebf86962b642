"""What the tests measure the C engine against, in plain Python.

- ``model``: a parameterised Markov graph as plain lists, the form every engine takes.
- ``exact``: an oracle in rational arithmetic. It has no rounding error at all.
- ``density``: an oracle for what depends on time, in integers with a bound of the rounding.
- ``elimination``, ``engine``: a reference engine that records the elimination as operations and
  replays them in floats, as the C engine does with its factor program.
"""
