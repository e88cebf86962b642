"""Thetas from files and pipes: every form, in chunks, with errors that name the line."""

from __future__ import annotations

import io

import numpy as np
import pytest

from phasic.cli.errors import UsageError
from phasic.cli.thetas import CHUNK_ROWS, Shard, parse_theta, read_thetas
from phasic.errors import FormatError


def read(data: bytes | str, n_parameters: int = 2, shard: Shard = Shard()):  # noqa: B008
    raw = data.encode() if isinstance(data, str) else data
    stream = io.BufferedReader(io.BytesIO(raw))
    return list(read_thetas("t.csv", stream, n_parameters, shard))


def values(data, n_parameters=2, shard=Shard()):  # noqa: B008
    chunks = read(data, n_parameters, shard)
    return [row for chunk in chunks for row in chunk.thetas.tolist()]


EXPECTED = [[1.0, 0.5], [2.0, 1e-300]]


@pytest.mark.parametrize(
    "text",
    [
        "1,0.5\n2,1e-300\n",
        "1,0.5\n2,1e-300",
        "1, 0.5\r\n2 ,1e-300\r\n",
        "rate,migration\n1,0.5\n2,1e-300\n",
        '"rate","migration"\n1,0.5\n2,1e-300\n',
        "\ufeffrate,migration\n1,0.5\n2,1e-300\n",
        "# a comment\n\n1,0.5\n\n# another\n2,1e-300\n",
        "1\t0.5\n2\t1e-300\n",
        "1 0.5\n  2   1e-300  \n",
        "1;0.5\n2;1e-300\n",
        "[1, 0.5]\n[2, 1e-300]\n",
        '{"theta": [1, 0.5]}\n{"theta": [2, 1e-300], "row": 7}\n',
    ],
)
def test_forms_of_text(text):
    assert values(text) == EXPECTED


@pytest.mark.parametrize("dtype", ["<f8", "<f4", ">f8", "<i8", "u1"])
def test_npy(dtype):
    stored = np.array([[1, 2], [3, 4], [5, 6]], dtype=dtype)
    buffer = io.BytesIO()
    np.save(buffer, stored)
    assert values(buffer.getvalue()) == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


def test_numbers_keep_every_bit():
    exact = [0.1 + 0.2, 5e-324, 1.7976931348623157e308]
    assert values("".join(f"{x!r}\n" for x in exact), 1) == [[x] for x in exact]


def test_input_is_read_in_chunks():
    n = 2 * CHUNK_ROWS + 5
    chunks = read("".join(f"{i}\n" for i in range(n)), 1)
    assert [len(chunk.rows) for chunk in chunks] == [CHUNK_ROWS, CHUNK_ROWS, 5]
    assert [row for chunk in chunks for row in chunk.rows] == list(range(n))
    assert chunks[-1].places[-1] == f"t.csv:{n}"


def test_a_chunk_comes_before_the_input_ends():
    """An error at the end does not keep the rows before it."""
    text = "1\n" * CHUNK_ROWS + "one\n"
    chunks = read_thetas("t", io.BufferedReader(io.BytesIO(text.encode())), 1, Shard())
    assert len(next(chunks).rows) == CHUNK_ROWS
    with pytest.raises(FormatError):
        next(chunks)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_divide_the_rows(count):
    text = "x\n" + "".join(f"{i}\n" for i in range(11))
    buffer = io.BytesIO()
    np.save(buffer, np.arange(11.0)[:, np.newaxis])
    for data in (text, buffer.getvalue()):
        rows = [
            row
            for index in range(count)
            for chunk in read(data, 1, Shard(index, count))
            for row in chunk.rows
        ]
        assert sorted(rows) == list(range(11))
        assert len(set(rows)) == 11


@pytest.mark.parametrize("text", ["3/3", "-1/3", "1", "a/b", "1/0", "0.5/2", ""])
def test_bad_shards(text):
    with pytest.raises(UsageError):
        Shard.parse(text)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("1,2\n1,two\n", "THETA_FORMAT", "t.csv:2: 'two' is not a number"),
        ("a,b\n# note\n1,2,3\n", "THETA_LENGTH", "t.csv:3: 3 values, expected 2 parameters"),
        ("1\n", "THETA_LENGTH", "t.csv:1: 1 value, expected 2 parameters"),
        ("1,nan\n", "THETA_NOT_FINITE", "t.csv:1: theta is nan"),
        ("1,-inf\n", "THETA_NOT_FINITE", "t.csv:1: theta is -inf"),
        ("1,1e999\n", "THETA_NOT_FINITE", "t.csv:1: theta is inf"),
        ("a,b\nc,d\n", "THETA_FORMAT", "t.csv:2: 'c' is not a number"),
        ("1,2\n3,\n", "THETA_FORMAT", "t.csv:2: '' is not a number"),
        ("[1, 2\n", "THETA_FORMAT", "t.csv:1 is not JSON"),
        ('{"t": [1, 2]}\n', "THETA_FORMAT", "t.csv:1 has no list theta"),
        ("[1, true]\n", "THETA_FORMAT", "t.csv:1: True is not a number"),
        ("[1, null]\n", "THETA_FORMAT", "t.csv:1: None is not a number"),
        (b"\xff\xfe1,2\n", "THETA_FORMAT", "t.csv:1 is not text"),
        (b"\x93NUMPY\x09\x09", "THETA_FORMAT", "is not a .npy array"),
    ],
)
def test_errors_name_the_line(text, code, said):
    with pytest.raises(FormatError) as raised:
        read(text)
    assert raised.value.code == code
    assert said in raised.value.message
    assert raised.value.hint


def npy(array: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        npy(np.ones(4)),
        npy(np.ones((2, 3))),
        npy(np.ones((2, 2), complex)),
        npy(np.asfortranarray(np.ones((3, 2)))),
        npy(np.array([[{}, {}]], dtype=object), allow_pickle=True),
        npy(np.ones((3, 2)))[:-1],
        npy(np.array([[1.0, 2.0], [1.0, np.nan]])),
    ],
    ids=["1-d", "width", "complex", "fortran", "pickle", "truncated", "nan"],
)
def test_bad_npy(data):
    with pytest.raises(FormatError):
        read(data)


def test_theta_of_the_command_line():
    assert parse_theta("1.0, 2e-3", 2).thetas.tolist() == [[1.0, 0.002]]
    assert parse_theta("", 0).thetas.shape == (1, 0)
    with pytest.raises(FormatError) as raised:
        parse_theta("1.0", 2)
    assert raised.value.message == "--theta: 1 value, expected 2 parameters"
