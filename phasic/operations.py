"""A trace written out as the eight operation types, made while it is read.

The engine keeps no such list: it replays rows of a factor program (`ptd.h` describes its words).
Here every weight, product and sum of that replay becomes one numbered operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cached_property
from itertools import islice
from typing import NamedTuple, overload

import numpy as np

from ._engine import lib
from ._engine.trace import TraceHandle
from .operation_count import count_operations

_NONE = int(lib.PTD_NONE)
OUTSIDE = -1


class OperationType(Enum):
    """What an operation does with its operands (numbers of earlier operations)."""

    CONST = "CONST"
    PARAM = "PARAM"
    DOT = "DOT"
    ADD = "ADD"
    MUL = "MUL"
    DIV = "DIV"
    INV = "INV"
    SUM = "SUM"


class Operation(NamedTuple):
    """One operation. CONST has `constant`; PARAM one of `parameters`; DOT has `coefficients`
    times those `parameters` of theta; the others have `operands`."""

    type: OperationType
    operands: tuple[int, ...] = ()
    constant: float | None = None
    parameters: tuple[int, ...] = ()
    coefficients: tuple[float, ...] = ()

    def __str__(self) -> str:
        if self.type is OperationType.CONST:
            return f"CONST {self.constant!r}"
        if self.type is OperationType.PARAM:
            return f"PARAM theta[{self.parameters[0]}]"
        if self.type is OperationType.DOT:
            terms = zip(self.coefficients, self.parameters, strict=True)
            return "DOT " + " + ".join(f"{c!r}*theta[{p}]" for c, p in terms)
        return f"{self.type.value} {' '.join(map(str, self.operands))}"


class Expansion:
    """One pass over a trace. Iterate it to the end; then the vertex tables are complete.

    `rates[v]` is the number of v's rate (-1: no way out); `targets[v]` are the vertices it leads
    to in the eliminated chain, OUTSIDE for all beyond its component; `probabilities[v]` the
    numbers of the probabilities.
    """

    def __init__(self, trace: TraceHandle) -> None:
        self._array = {
            name: trace.array(name).tolist()
            for name in (
                "position_vertex", "component_start", "component_block", "edge_start",
                "edge_external", "edge_self", "edge_target", "edge_form", "form_base",
                "form_start", "form_parameter", "form_coefficient", "exit_of_position",
                "exit_start", "exit_form", "block_row", "block_position", "row_slot", "row_lower",
                "slot_column", "entry_start", "entry_slot", "row_program",
            )
        }  # fmt: skip
        self._program = trace.array("program")
        n_vertices = trace.meta["n_vertices"]
        self.rates = [-1] * n_vertices
        self.targets: list[list[int]] = [[] for _ in range(n_vertices)]
        self.probabilities: list[list[int]] = [[] for _ in range(n_vertices)]
        self.count = 0
        self._new: list[Operation] = []
        self._forms: list[int] = []
        self._blocks: dict[int, _Block] = {}

    def __iter__(self) -> Iterator[Operation]:
        for form in range(len(self._array["form_base"])):
            self._forms.append(self._emit_form(form))
            yield from self._take()
        starts = self._array["component_start"]
        for component, block in enumerate(self._array["component_block"]):
            if block == _NONE:
                self._emit_single(starts[component])
                yield from self._take()
                continue
            if block not in self._blocks:
                self._blocks[block] = _Block()
                for row in range(*self._array["block_row"][block : block + 2]):
                    self._emit_row(block, row)
                    yield from self._take()
            self._assign(self._blocks[block], starts[component])

    def _take(self) -> list[Operation]:
        taken, self._new = self._new, []
        return taken

    def _emit(self, operation: Operation) -> int:
        self._new.append(operation)
        self.count += 1
        return self.count - 1

    def _binary(self, kind: OperationType, left: int, right: int) -> int:
        return self._emit(Operation(kind, (left, right)))

    def _sum(self, operands: list[int]) -> int:
        if len(operands) == 1:
            return operands[0]
        return self._emit(Operation(OperationType.SUM, tuple(operands)))

    def _emit_form(self, form: int) -> int:
        first, last = self._array["form_start"][form : form + 2]
        base = self._array["form_base"][form]
        parameters = tuple(self._array["form_parameter"][first:last])
        coefficients = tuple(self._array["form_coefficient"][first:last])
        if not parameters:
            return self._emit(Operation(OperationType.CONST, constant=base))
        if coefficients == (1.0,):
            varying = self._emit(Operation(OperationType.PARAM, parameters=parameters))
        else:
            varying = self._emit(
                Operation(OperationType.DOT, parameters=parameters, coefficients=coefficients)
            )
        if base == 0.0:
            return varying
        constant = self._emit(Operation(OperationType.CONST, constant=base))
        return self._binary(OperationType.ADD, constant, varying)

    def _exit(self, position: int) -> int | None:
        """The sum of what leaves the component."""
        number = self._array["exit_of_position"][position]
        if number == _NONE:
            return None
        first, last = self._array["exit_start"][number : number + 2]
        return self._sum([self._forms[form] for form in self._array["exit_form"][first:last]])

    def _emit_single(self, position: int) -> None:
        vertex = self._array["position_vertex"][position]
        rate = self._exit(position)
        if rate is None:
            return
        inverse = self._emit(Operation(OperationType.INV, (rate,)))
        self.rates[vertex] = rate
        first, last = self._array["edge_external"][position], self._array["edge_self"][position]
        for edge in range(first, last):
            target = self._array["edge_target"][edge]
            weight = self._forms[self._array["edge_form"][edge]]
            self.targets[vertex].append(self._array["position_vertex"][target])
            self.probabilities[vertex].append(self._binary(OperationType.MUL, weight, inverse))

    def _emit_row(self, block: int, row: int) -> None:
        array, done = self._array, self._blocks[block]
        position = array["block_position"][block] + row - array["block_row"][block]
        columns = array["slot_column"][array["row_slot"][row] : array["row_slot"][row + 1]]
        lower = array["row_lower"][row]
        values: list[int | None] = [None] * len(columns)
        values[-1] = self._exit(position)

        def add(slot: int, value: int) -> None:
            old = values[slot]
            values[slot] = value if old is None else self._binary(OperationType.ADD, old, value)

        slots = array["entry_slot"][array["entry_start"][row] : array["entry_start"][row + 1]]
        for edge, slot in enumerate(slots, array["edge_start"][position]):
            add(slot, self._forms[array["edge_form"][edge]])
        for slot, destinations in self._applications(row, columns, done):
            source = values[slot]
            if source is None:
                continue
            factor = self._binary(OperationType.MUL, source, done.inverses[columns[slot]])
            for value, destination in zip(done.uppers[columns[slot]], destinations, strict=True):
                # What returns to the row itself is dropped.
                if value is not None and destination != lower:
                    add(destination, self._binary(OperationType.MUL, factor, value))
        upper = values[lower + 1 :]
        rate = self._sum([value for value in upper if value is not None])
        inverse = self._emit(Operation(OperationType.INV, (rate,)))
        done.inverses.append(inverse)
        done.uppers.append(upper)
        done.rates.append(rate)
        leaving = [
            (OUTSIDE if column == _NONE else column, value)
            for column, value in zip(columns[lower + 1 :], upper, strict=True)
            if value is not None
        ]
        done.targets.append([column for column, _ in leaving])
        done.probabilities.append(
            [self._binary(OperationType.MUL, value, inverse) for _, value in leaving]
        )

    def _applications(
        self, row: int, columns: list[int], done: _Block
    ) -> Iterator[tuple[int, list[int]]]:
        """For each L slot of a row in order: the slots that its U and exit are added to."""
        words = self._program[
            self._array["row_program"][row] : self._array["row_program"][row + 1]
        ].tolist()
        if len(columns) > 65_535:
            words = [low | high << 16 for low, high in zip(words[::2], words[1::2], strict=True)]
        slot = at = 0
        while at < len(words):
            head = words[at]
            at += 1
            size, runs, count = (head & 3) + 1, head >> 2 & 1, head >> 3
            n_last = len(done.uppers[columns[slot + size - 1]])
            if runs:
                last = [0] * n_last
                for first, to, length in zip(*[iter(words[at : at + 3 * count])] * 3, strict=True):
                    last[first : first + length] = range(to, to + length)
                at += 3 * count
            else:
                last = words[at : at + n_last]
                at += n_last
            for member in range(size):
                yield slot + member, [*range(slot + member + 1, slot + size), *last]
            slot += size

    def _assign(self, block: _Block, start: int) -> None:
        vertex = self._array["position_vertex"]
        for local, rate in enumerate(block.rates):
            own = vertex[start + local]
            self.rates[own] = rate
            self.probabilities[own] = block.probabilities[local]
            self.targets[own] = [
                OUTSIDE if target == OUTSIDE else vertex[start + target]
                for target in block.targets[local]
            ]


class _Block:
    """Numbers of a block's rows so far, by local row."""

    def __init__(self) -> None:
        self.inverses: list[int] = []
        self.uppers: list[list[int | None]] = []
        self.rates: list[int] = []
        self.targets: list[list[int]] = []
        self.probabilities: list[list[int]] = []


class Operations(Sequence[Operation]):
    """The operations of a trace by number, expanded anew by each pass over them."""

    def __init__(self, trace: TraceHandle) -> None:
        self._trace = trace

    def __iter__(self) -> Iterator[Operation]:
        return iter(Expansion(self._trace))

    @cached_property
    def tables(self) -> Expansion:
        """The vertex tables, from one full pass."""
        expansion = Expansion(self._trace)
        for _ in expansion:
            pass
        return expansion

    def __len__(self) -> int:
        return count_operations(self._trace)

    @overload
    def __getitem__(self, number: int) -> Operation: ...
    @overload
    def __getitem__(self, number: slice) -> list[Operation]: ...
    def __getitem__(self, number: int | slice) -> Operation | list[Operation]:
        if isinstance(number, slice):
            chosen = range(*number.indices(len(self)))
            if chosen.step < 0:
                return self[chosen[-1] : chosen[0] + 1 : -chosen.step][::-1] if chosen else []
            return list(islice(self, chosen.start, chosen.stop, chosen.step))
        at = number + len(self) if number < 0 else number
        for operation in islice(self, at, at + 1) if at >= 0 else ():
            return operation
        raise IndexError(f"operation {number} of {len(self)}")

    def __repr__(self) -> str:
        return f"<operations of trace {self._trace.hashes[1].hex()[:12]}>"


def run(operations: Sequence[Operation], theta: Sequence[float]) -> np.ndarray:
    """Carries operations out one by one: slow, and a way to check any expansion."""
    values = np.empty(len(operations))
    for number, operation in enumerate(operations):
        arguments = [float(values[k]) for k in operation.operands]
        match operation.type:
            case OperationType.CONST:
                values[number] = operation.constant
            case OperationType.PARAM:
                values[number] = theta[operation.parameters[0]]
            case OperationType.DOT:
                values[number] = sum(
                    c * theta[p]
                    for c, p in zip(operation.coefficients, operation.parameters, strict=True)
                )
            case OperationType.ADD | OperationType.SUM:
                values[number] = sum(arguments)
            case OperationType.MUL:
                values[number] = arguments[0] * arguments[1]
            case OperationType.DIV:
                values[number] = arguments[0] / arguments[1]
            case OperationType.INV:
                values[number] = 1.0 / arguments[0]
    return values
