"""A trace file read without phasic: msgpack, numpy and zlib are enough (grammar: codec.c)."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import msgpack
import numpy as np
import pytest

from phasic import Graph
from phasic.trace_elimination import record_elimination_trace

HEAD_AT = 20
LINEAGES = 6


def coalescent(state: np.ndarray) -> list[Any]:
    """Kingman's coalescent by number of lineages, a rate theta[0] for each pair."""
    if state.size == 0:
        return [([LINEAGES], 1.0, [0.0])]
    n = int(state[0])
    return [] if n == 1 else [([n - 1], 0.0, [n * (n - 1) / 2])]


def read(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays, every checksum compared."""
    assert data[:8] == b"\x93phase\r\n"
    version, length, crc = struct.unpack_from("<III", data, 8)
    head = data[HEAD_AT : HEAD_AT + length]
    assert version == 1
    assert zlib.crc32(head) == crc
    header = msgpack.unpackb(head)
    arrays = {}
    end = HEAD_AT + length
    for entry in header["arrays"]:
        assert entry["offset"] % 64 == 0
        assert not any(data[end : entry["offset"]])
        count = int(np.prod(entry["shape"]))
        items = np.frombuffer(data, entry["dtype"], count, entry["offset"])
        assert zlib.crc32(items.tobytes()) == entry["crc32"]
        arrays[entry["name"]] = items.reshape(entry["shape"])
        end = entry["offset"] + items.nbytes
    assert end == len(data)
    return header, arrays


def expected_time(meta: dict[str, int], arrays: dict[str, np.ndarray], theta: np.ndarray) -> float:
    """The mean absorption time by a dense solve with the edges in the file."""
    coefficients = np.zeros((len(arrays["form_base"]), meta["n_parameters"]))
    form = np.repeat(np.arange(len(coefficients)), np.diff(arrays["form_start"].astype(int)))
    coefficients[form, arrays["form_parameter"]] = arrays["form_coefficient"]
    weights = arrays["form_base"] + coefficients @ theta
    n = meta["n_vertices"]
    source = np.repeat(np.arange(n), np.diff(arrays["edge_start"].astype(int)))
    rates = np.zeros((n, n))
    rates[source, arrays["edge_target"]] = weights[arrays["edge_form"]]
    inner = slice(meta["n_absorbing"], n - 1)  # the start comes last
    generator = rates[inner, inner] - np.diag(rates[inner].sum(axis=1))
    times = np.linalg.solve(-generator, np.ones(len(generator)))
    start = rates[n - 1, inner]
    return float(start @ times / rates[n - 1].sum())


def test_stock_libraries_read_a_trace() -> None:
    trace = record_elimination_trace(Graph(callback=coalescent, parameterized=True))
    header, arrays = read(trace.to_bytes())
    meta = header["meta"]
    assert header["key"].hex() == trace.key
    assert header["content"].hex() == trace.content_hash
    assert meta["n_vertices"] == LINEAGES + 1
    assert meta["n_absorbing"] == 1
    assert arrays["states"].tolist() == [[k] for k in range(LINEAGES + 1)]
    # E[T] of the coalescent: the sum of 1 / (theta k (k-1) / 2) is 2 (1 - 1/n) / theta.
    mean = expected_time(meta, arrays, np.array([0.5]))
    assert mean == pytest.approx(2 * (1 - 1 / LINEAGES) / 0.5, rel=1e-12)
