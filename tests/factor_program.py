"""A trace replayed from its arrays in plain Python, by nothing but the text of ptd.h.

What a reader in another language would write: it needs the arrays of the file and no engine.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

NONE = 2**32 - 1
WIDE = 65_535

Arrays = dict[str, np.ndarray]


def forms(arrays: Arrays, theta: np.ndarray) -> np.ndarray:
    """base + coefficients . theta of every form."""
    values = arrays["form_base"].astype(float).copy()
    starts = arrays["form_start"].astype(int)
    for f in range(len(values)):
        for k in range(starts[f], starts[f + 1]):
            parameter = arrays["form_parameter"][k]
            values[f] += arrays["form_coefficient"][k] * theta[parameter]
    return values


def words(arrays: Arrays, row: int) -> Iterator[int]:
    """The program of a row; 32-bit words, low half first, where the row is wide."""
    first, end = (int(x) for x in arrays["row_program"][row : row + 2])
    halves = arrays["program"][first:end].astype(int)
    slots = int(arrays["row_slot"][row + 1]) - int(arrays["row_slot"][row])
    if slots > WIDE:
        return iter((halves[0::2] | halves[1::2] << 16).tolist())
    return iter(halves.tolist())


class Replay:
    """All factors of a trace at one theta. Slots of a row: [L | diagonal | U | exit]."""

    def __init__(self, meta: dict[str, int], arrays: Arrays, theta: np.ndarray) -> None:
        self.meta, self.arrays = meta, arrays
        self.form = forms(arrays, theta)
        starts = arrays["exit_start"].astype(int)
        self.exit = [
            sum(self.form[f] for f in arrays["exit_form"][starts[x] : starts[x + 1]])
            for x in range(len(starts) - 1)
        ]
        self.rows: list[list[float]] = []
        self.inverse: list[float] = []
        for block in range(meta["n_blocks"]):
            self._factor(block)

    def _span(self, name: str, k: int) -> range:
        starts = self.arrays[name]
        return range(int(starts[k]), int(starts[k + 1]))

    def _factor(self, block: int) -> None:
        arrays = self.arrays
        first = int(arrays["block_row"][block])
        position = int(arrays["block_position"][block])
        for row in self._span("block_row", block):
            at = position + row - first
            lower = int(arrays["row_lower"][row])
            values = [0.0] * len(self._span("row_slot", row))
            edges = range(int(arrays["edge_start"][at]), int(arrays["edge_external"][at]))
            for slot, edge in zip(self._span("entry_start", row), edges, strict=True):
                values[int(arrays["entry_slot"][slot])] += self.form[arrays["edge_form"][edge]]
            if arrays["exit_of_position"][at] != NONE:
                values[-1] += self.exit[arrays["exit_of_position"][at]]
            self.rows.append(values)
            self._run(row, first, lower, values)
            self.inverse.append(1 / sum(values[lower + 1 :]))

    def _upper(self, row: int) -> list[float]:
        """U of a row and its exit."""
        return self.rows[row][int(self.arrays["row_lower"][row]) + 1 :]

    def _run(self, row: int, first: int, lower: int, values: list[float]) -> None:
        program = words(self.arrays, row)
        done = 0
        columns = self.arrays["slot_column"][self._span("row_slot", row)]
        while done < lower:
            head = next(program)
            size, runs, count = (head & 3) + 1, head >> 2 & 1, head >> 3
            group = [first + int(columns[done + j]) for j in range(size)]
            factors = []
            for j, source in enumerate(group):
                # entries of U that lie inside the group: rows of a group are consecutive
                factor = values[done + j] * self.inverse[source]
                values[done + j] = factor
                factors.append(factor)
                for i, u in enumerate(self._upper(source)[: size - 1 - j]):
                    values[done + j + 1 + i] += factor * u
            last = len(self._upper(group[-1]))
            if runs:
                pairs = []
                for _ in range(count):
                    start, slot, length = next(program), next(program), next(program)
                    pairs += [(start + i, slot + i) for i in range(length)]
            else:
                pairs = [(i, next(program)) for i in range(last)]
            assert [source for source, _ in pairs] == list(range(last))
            for j, (source, factor) in enumerate(zip(group, factors, strict=True)):
                beyond = self._upper(source)[size - 1 - j :]
                for k, slot in pairs:
                    values[slot] += factor * beyond[k]
            done += size
        assert next(program, None) is None

    def mean(self) -> float:
        """The expected time from the start, continuous."""
        meta, arrays = self.meta, self.arrays
        n = meta["n_vertices"]
        x = [0.0] * n
        for c in range(meta["n_components"]):
            span = self._span("component_start", c)
            block = int(arrays["component_block"][c])
            right = {}
            for at in span:
                first = arrays["edge_external" if block != NONE else "edge_start"][at]
                edges = range(int(first), int(arrays["edge_boundary"][at]))
                total = sum(
                    self.form[arrays["edge_form"][e]] * x[int(arrays["edge_target"][e])]
                    for e in edges
                )
                right[at] = total + (0.0 if at == n - 1 else 1.0)
            if block == NONE:
                (at,) = span
                x[at] = right[at] / self.exit[int(arrays["exit_of_position"][at])]
                continue
            first = int(arrays["block_row"][block])
            for at in span:
                row = first + at - span.start
                lower = int(arrays["row_lower"][row])
                columns = arrays["slot_column"][self._span("row_slot", row)]
                for k in range(lower):
                    right[at] += self.rows[row][k] * right[span.start + int(columns[k])]
            for at in reversed(span):
                row = first + at - span.start
                lower = int(arrays["row_lower"][row])
                columns = arrays["slot_column"][self._span("row_slot", row)]
                total = right[at]
                for k in range(lower + 1, len(columns) - 1):
                    total += self.rows[row][k] * x[span.start + int(columns[k])]
                x[at] = total * self.inverse[row]
        return x[n - 1]
