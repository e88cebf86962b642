"""What a run finds out: figures with their targets, rows of the contests, who was absent."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured number. `value` is None where it could not be measured: `note` says why."""

    name: str
    value: float | None
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is no target. Not measured is not met."""
        if self.at_most is None and self.at_least is None:
            return None
        if self.value is None:
            return False
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )


@dataclass
class Row:
    """One model of the contest. Times in CPU seconds; None: not measured, `failures` says why."""

    model: str
    states: int
    edges: int
    parameters: int
    multiply_adds: int
    largest_component: int
    trace_bytes: int
    freeze: float
    record: float
    one_theta: float
    many_thetas: float
    four_moments: float
    gradient: float
    klu_analyse: float | None = None
    klu: float | None = None
    klu_scaling: str = ""
    splu: float | None = None
    phasic_first: float | None = None
    phasic_new: float | None = None
    phasic_bytes: int | None = None
    # Largest relative difference of the mean from ours, by contender.
    differences: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass
class DensityRow:
    """One model's density at 100 times, in CPU seconds of one call."""

    model: str
    states: int
    method: str
    kind: str
    bound: float
    seconds: float
    gradient: float
    methods: dict[str, float] = field(default_factory=dict)
    peers: dict[str, float] = field(default_factory=dict)
    # Largest relative difference from ours, by method and contender; "reference": our error.
    differences: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def error(self) -> float | None:
        """Against the reference; without one, against our other methods; None: there is neither."""
        others = [self.differences[name] for name in self.methods if name in self.differences]
        return self.differences.get("reference", max(others, default=None))


@dataclass
class Results:
    """Everything, as it goes into the JSON file."""

    date: str
    machine: dict[str, Any]
    versions: dict[str, str]
    absent: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    densities: list[DensityRow] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, value: float | None, unit: str = "", **target: Any) -> None:
        """Adds a figure."""
        self.figures.append(Figure(name, value, unit, **target))

    def as_text(self) -> str:
        """JSON, with the verdict on every figure."""
        document = asdict(self)
        for figure, plain in zip(self.figures, document["figures"], strict=True):
            plain["met"] = figure.met
        return json.dumps(document, indent=1) + "\n"
