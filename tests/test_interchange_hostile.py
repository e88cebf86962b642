"""Files that are cut, wrong or hostile: refused, with the place and what was expected."""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import zipfile

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phasic.errors import FormatError, GraphError, PhasicError
from phasic.interchange import READABLE, read, write
from phasic.models import coalescent, epidemics, walks

DRN = """\
@type: CTMC
@parameters
k
@reward_models

@nr_states
2
@nr_choices
1
@model
state 0 !2*k init
\taction 0
\t\t1 : 2*k
state 1 !0
"""
MTX = "%%MatrixMarket matrix coordinate real general\n2 2 3\n1 1 -2\n1 2 1\n2 2 -3\n"
ALPHA = "%%MatrixMarket matrix array real general\n2 1\n1\n0\n"
JSON = {"format": "phasic-edges/1", "n_vertices": 3, "edges": [[0, 1, 1.0], [1, 2, 4.0]]}


def refusal(path, **options):
    with pytest.raises(PhasicError) as raised:
        read(path, **options).at([1.0])
    assert isinstance(raised.value, FormatError)
    assert raised.value.hint
    assert str(path) in raised.value.message
    assert len(raised.value.message) < 500
    return raised.value


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("CTMC", "MDP", 1, "without choices"),
        ("CTMC", "POMDP", 1, "without choices"),
        ("@type: CTMC", "@typ: CTMC", 1, "a section"),
        ("@type: CTMC\n", "", 9, "@type: and @nr_states before it"),
        ("@parameters\nk", "@parameters\nk k", 3, "different identifiers"),
        ("@parameters\nk", "@parameters\n1k", 3, "different identifiers"),
        ("@nr_states\n2", "@nr_states\n0", 7, "1 to 1,000,000"),
        ("@nr_states\n2", "@nr_states\n99999999999999999", 7, "1 to 1,000,000"),
        ("@nr_states\n2", "@nr_states\n" + "9" * 400, 7, "a whole number"),
        ("@nr_states\n2", "@nr_states\n-2", 7, "a whole number"),
        ("@nr_states\n2", "@nr_states\n1", 13, "one of 0 to 0"),
        ("1 : 2*k", "7 : 2*k", 13, "one of 0 to 1"),
        ("1 : 2*k", "1 2*k", 13, "TARGET : VALUE"),
        ("1 : 2*k", "1 : 2*q", 13, "linear in the parameters"),
        ("1 : 2*k", "1 : k*k", 13, "linear in the parameters"),
        ("1 : 2*k", "1 : 1/0", 13, "finite"),
        ("1 : 2*k", "1 : 1e999", 13, "within the range of floats"),
        ("1 : 2*k", "1 : nan", 13, "linear in the parameters"),
        ("1 : 2*k", "1 : __import__('os')", 13, "linear in the parameters"),
        ("1 : 2*k", "1 : $x", 13, "linear in the parameters"),
        ("\taction 0\n", "", 12, "TARGET : VALUE after action"),
        ("state 1", "\taction 1\n\t\t1 : k\nstate 1", 14, "no choices"),
        ("state 1", "state 2", 14, "state 1"),
        ("state 0 !2*k init", "state 0 [1 !2*k init", 11, "end with ]"),
        ("state 0 !2*k init", "state 0 [k] !2*k init", 11, "a reward that is a number"),
        ("state 0 !2*k init", "state 0 !2*k {3} init", 11, "without observations"),
        ("state 0", "\taction 0\nstate 0", 11, "state 0"),
    ],
)
def test_drn_names_line_and_expectation(old, new, line, what, tmp_path):
    assert old in DRN
    path = tmp_path / "m.drn"
    path.write_text(DRN.replace(old, new, 1))
    error = refusal(path)
    assert error.code == "FILE_FORMAT"
    assert f"line {line}:" in error.message
    assert what in error.message


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("!2*k", "!3*k", "FILE_ROW_SUM"),
        (" init", "", "FILE_INITIAL"),
        ("!0", "!0 init", "FILE_INITIAL"),
        ("state 1 !0\n", "", "FILE_FORMAT"),
        ("@model", "", "FILE_FORMAT"),
        ("@type: CTMC", "@type: DTMC", "FILE_ROW_SUM"),
        ("@type: CTMC", "@type: Markov Automaton", "FILE_ROW_SUM"),
        ("!2*k", "!0", "FILE_ROW_SUM"),
        ("@nr_choices\n1", "@nr_choices\n2", "FILE_FORMAT"),
    ],
)
def test_drn_that_does_not_add_up(old, new, code, tmp_path):
    assert old in DRN
    (tmp_path / "m.drn").write_text(DRN.replace(old, new, 1))
    assert refusal(tmp_path / "m.drn").code == code


@pytest.mark.parametrize("kind", ["DTMC", "CTMC", "Markov Automaton"])
@pytest.mark.parametrize("header", ["@nr_choices\n3\n", ""])
def test_a_drn_file_that_was_cut_is_refused_wherever(kind, header, tmp_path):
    """Cut after any line. Without @nr_choices a state without an action may be the last."""
    rate = "" if kind == "DTMC" else " !1"
    lines = [f"@type: {kind}\n@nr_states\n3\n{header}@model\n"]
    for state, targets in enumerate([(1, 2), (0, 2), (0, 1, 2)]):
        lines.append(f"state {state}{rate}{' init' * (state == 0)}\n")
        lines.append("\taction 0\n")
        lines += [f"\t\t{target} : {1 / len(targets)!r}\n" for target in targets]
    path = tmp_path / "m.drn"
    path.write_text("".join(lines))
    for kept in range(len(lines)):
        path.write_text("".join(lines[:kept]))
        last = lines[kept - 1] if kept else ""
        if kind == "DTMC" and not header and last.startswith("state 2"):
            continue
        assert refusal(path).code in ("FILE_FORMAT", "FILE_ROW_SUM"), lines[kept - 1 : kept]


def test_a_state_that_is_left_at_once(tmp_path):
    (tmp_path / "m.drn").write_text(
        "@type: Markov Automaton\n@nr_states\n3\n@model\nstate 0 !1 init\n\taction 0\n\t\t1 : 1\n"
        "state 1 !0\n\taction 0\n\t\t2 : 1\nstate 2 !1\n"
    )
    assert refusal(tmp_path / "m.drn").code == "FILE_INSTANT"


def test_rewards_of_actions(tmp_path):
    from phasic.interchange import read_rewards

    (tmp_path / "m.drn").write_text(DRN.replace("action 0", "action 0 [0, 2.5]"))
    assert read(tmp_path / "m.drn").at([1.0]).mean() == 0.5
    with pytest.raises(FormatError, match="line 12: an action has a reward"):
        read_rewards(tmp_path / "m.drn")


def test_a_label_that_is_none(tmp_path):
    (tmp_path / "m.drn").write_text(DRN)
    error = refusal(tmp_path / "m.drn", target="goal")
    assert error.code == "FILE_LABEL"
    assert "init" in error.hint


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 0, "a header"),
        ("# only\n", 1, "a header"),
        ("a,b\n", 1, "the header source,target,base"),
        ("source,target\n", 1, "the header source,target,base"),
        ("source,target,weight\n0,1,1\n", 1, "the header source,target,base"),
        ("source,target,base,a,a\n", 1, "different identifiers"),
        ("source,target,base,a b\n", 1, "different identifiers"),
        ("source,target,base\n", 1, "a line for each edge"),
        ("source,target,base\n0,1\n", 2, "3, as in the header"),
        ("source,target,base\n0,1,1,1\n", 2, "3, as in the header"),
        ("source,target,base\n0,x,1\n", 2, "a vertex, a whole number"),
        ("source,target,base\n0,-1,1\n", 2, "a vertex, a whole number"),
        ("source,target,base\n0,1,one\n", 2, "a weight, a number"),
        ("source,target,base\n0,1,inf\n", 2, "a weight, a number"),
        ("source,target,base\n0,1,0x10\n", 2, "a weight, a number"),
        ("source,target,base\n0,1,1_0\n", 2, "a weight, a number"),
        ("source,target,base\n0,1,1e999\n", 2, "within the range of floats"),
        ("source,target,base\n0,999999999999,1\n", 2, "1 to 1,000,000"),
        ("# state: x\nsource,target,base\nstart,1 2,1\n", 3, "a state of 1 whole numbers"),
        ("# state: x\nsource,target,base\nstart,a,1\n", 3, "a state of 1 whole numbers"),
        ("# state: x x\nsource,target,base\nstart,1 1,1\n", 1, "different identifiers"),
        ("alpha,S2\n", 1, "the header alpha,S1"),
        ("alpha,S1,S2\n1,-1,0\n", 2, "2 lines of matrices"),
        ("alpha,S1\n1,-1\n1,-1\n", 3, "1 lines"),
        ("alpha,S1\n1\n", 2, "2, as in the header"),
        ("alpha,S1\n1,x\n", 2, "an entry, a number"),
        ("source,target,base\n0,1,1" + "0" * 2_000_000 + "\n", 2, "shorter lines"),
    ],
)
def test_csv_names_line_and_expectation(text, line, what, tmp_path):
    (tmp_path / "m.csv").write_text(text)
    error = refusal(tmp_path / "m.csv")
    assert f"line {line}" in error.message
    assert what in error.message


def test_csv_that_is_no_text(tmp_path):
    (tmp_path / "m.csv").write_bytes(b"source,target,base\n0,1,\xff\xfe\n")
    assert "line 2: found bytes that are no UTF-8" in refusal(tmp_path / "m.csv").message


def test_a_wide_header_of_matrices_takes_no_memory(tmp_path):
    (tmp_path / "m.csv").write_text("alpha," + ",".join(f"S{k}" for k in range(1, 90_001)))
    assert refusal(tmp_path / "m.csv").code == "FILE_TOO_LARGE"


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("%%MatrixMarket", "%MatrixMarket", 1, "%%MatrixMarket matrix"),
        ("coordinate", "vector", 1, "coordinate|array"),
        ("real", "complex", 1, "real|integer"),
        ("real", "pattern", 1, "real|integer"),
        ("general", "skew-symmetric", 1, "general|symmetric"),
        ("general", "symmetric", 5, "on and below"),
        ("2 2 3", "2 2", 2, "the sizes rows columns entries"),
        ("2 2 3", "0 2 3", 2, "sizes of 1 or more"),
        ("2 2 3", "2 2 4", 5, "4 entries, not 3"),
        ("2 2 3", "2 2 2", 5, "2, as the sizes say"),
        ("1 2 1", "1 3 1", 4, "one of 1, 1 to 2, 2"),
        ("1 2 1", "0 2 1", 4, "one of 1, 1 to 2, 2"),
        ("1 2 1", "1 2", 4, "row, column and value"),
        ("1 2 1", "1 2 NaN", 4, "a number"),
    ],
)
def test_matrix_market_names_line_and_expectation(old, new, line, what, tmp_path):
    (tmp_path / "m.mtx").write_text(MTX.replace(old, new, 1))
    (tmp_path / "m.alpha.mtx").write_text(ALPHA)
    error = refusal(tmp_path / "m.mtx")
    assert f"line {line}" in error.message
    assert what in error.message


def test_matrix_market_claims_take_no_memory(tmp_path):
    (tmp_path / "m.mtx").write_text(MTX.replace("2 2 3", "900000000 900000000 3"))
    (tmp_path / "m.alpha.mtx").write_text(ALPHA)
    assert refusal(tmp_path / "m.mtx").code == "FILE_TOO_LARGE"


def test_matrix_market_needs_alpha(tmp_path):
    (tmp_path / "m.mtx").write_text(MTX)
    assert "m.alpha.mtx" in refusal(tmp_path / "m.mtx").message
    (tmp_path / "m.alpha.mtx").write_text(ALPHA.replace("2 1\n1\n0", "3 1\n1\n0\n0"))
    assert "(3, 1)" in refusal(tmp_path / "m.mtx").message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"format": "other"}, "format"),
        ({"format": None}, "format"),
        ({"discrete": 1}, "discrete"),
        ({"parameters": "k"}, "parameters"),
        ({"parameters": ["a b"]}, "parameters"),
        ({"parameters": ["k"]}, "edges[0]"),
        ({"n_vertices": 1}, "n_vertices"),
        ({"n_vertices": 10**9}, "n_vertices"),
        ({"n_vertices": 3.0}, "n_vertices"),
        ({"n_vertices": True}, "n_vertices"),
        ({"n_vertices": None}, "n_vertices"),
        ({"edges": []}, "edges"),
        ({"edges": {}}, "edges"),
        ({"edges": [[0, 1, 1.0], [1, 2]]}, "edges[1]"),
        ({"edges": [[0, 1, "1"]]}, "edges[0]"),
        ({"edges": [[0, 1, True]]}, "edges[0]"),
        ({"edges": [[0, 1, [1]]]}, "edges[0]"),
        ({"edges": [[0, 1, 1], [1, 3, 1]]}, "edges[1]"),
        ({"edges": [[0, 1, 1], [-1, 2, 1]]}, "edges[1]"),
        ({"edges": [[0, 1, 1], [0.5, 2, 1]]}, "edges[1]"),
        ({"edges": [[0, 1, 10**400], [1, 2, 1]]}, "edges"),
        ({"state": ["x"], "states": [[0], [1], [2.5]]}, "states[2]"),
        ({"state": ["x"], "states": [[0], [1], [10**15]]}, "states"),
        ({"state": ["x"], "states": [[0], [1, 2]]}, "states[1]"),
        ({"states": [[0], [1]]}, "states[0]"),
    ],
)
@pytest.mark.parametrize("suffix", [".json", ".msgpack"])
def test_documents_name_the_field(changes, field, suffix, tmp_path):
    document = {**JSON, **changes}
    path = tmp_path / f"m{suffix}"
    try:
        text = json.dumps(document).encode() if suffix == ".json" else msgpack.packb(document)
    except OverflowError:
        pytest.skip("msgpack has no such number")
    path.write_bytes(text)
    assert f"{path}, {field}: found" in refusal(path).message


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".json", b""),
        (".json", b"[1, 2"),
        (".json", b"[" * 200_000),
        (".json", b"\xff\xfe\x00"),
        (".json", b'{"format": "phasic-edges/1", "edges": [[0, 1, NaN]], "n_vertices": 2}'),
        (".json", b"9" * 10_000),
        (".msgpack", b""),
        (".msgpack", b"\xc1"),
        (".msgpack", b"\x91" * 100_000),
        (".msgpack", b"\xdd\xff\xff\xff\xff"),
        (".msgpack", b"\xdf\xff\xff\xff\xff"),
        (".msgpack", b"\xc6\xff\xff\xff\xff"),
        (".msgpack", msgpack.packb({1: 2})),
        (".msgpack", msgpack.packb({"a": [{}] * 200})),
        (".msgpack", msgpack.packb(JSON) + b"\x00"),
        (".msgpack", msgpack.packb(msgpack.ExtType(5, b"x"))),
    ],
    ids=range(16),
)
def test_documents_that_are_none(suffix, content, tmp_path):
    (tmp_path / f"m{suffix}").write_bytes(content)
    assert refusal(tmp_path / f"m{suffix}").code == "FILE_FORMAT"


def test_many_lists_in_few_bytes(tmp_path):
    (tmp_path / "m.msgpack").write_bytes(
        b"\xdd" + (20_000_000).to_bytes(4, "big") + b"\x90" * 20_000_000
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "lists" in refusal(tmp_path / "m.msgpack").message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 800_000


def test_a_document_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "m.json", "wb") as stream:
        stream.truncate(1 << 34)  # 16 GiB of nothing
    assert "more than 64 MiB" in refusal(tmp_path / "m.json").message


# -- npz


def npy(array, **header):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), **header)
    return stream.getvalue()


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stream:
        for name, content in members.items():
            stream.writestr(f"{name}.npy", content)


class Owned:
    """Unpickling it leaves a folder behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_nothing_is_unpickled(tmp_path):
    owned = tmp_path / "owned"
    hostile = npy(np.array([Owned(owned)], dtype=object), allow_pickle=True)
    archive(tmp_path / "m.npz", alpha=hostile, S=npy([[-1.0]]))
    assert "expected numbers" in refusal(tmp_path / "m.npz").message
    assert not owned.exists()
    # The file would have done it.
    pickle.loads(pickle.dumps(Owned(owned)))  # noqa: S301
    assert owned.exists()


HEADER = npy(np.zeros(4))


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ({"S": npy([[-1.0]])}, "no array alpha"),
        ({"alpha": npy([1.0])}, "no array S"),
        ({"alpha": npy([1.0]), "S": npy([-1.0])}, "shapes (m,) and (m, m)"),
        ({"alpha": npy([1.0]), "S": npy([["x"]])}, "expected numbers"),
        ({"alpha": npy([1.0]), "S": npy([[1j]])}, "expected numbers"),
        ({"alpha": npy([1.0]), "S": b""}, "magic"),
        ({"alpha": npy([1.0]), "S": b"\x93NUMPY\x09\x00"}, "version 9.0"),
        (
            {"alpha": npy([1.0]), "S": HEADER.replace(b"(4,)", b"(9,)")},
            "shape (9,) of float64, 72 bytes",
        ),
        (
            {"alpha": npy([1.0]), "S": HEADER.replace(b"(4,), ", b"(99999999999999999999,), ")},
            "799,999,999,999,999,999,992 bytes",
        ),
        ({"alpha": npy([1.0]), "S": HEADER[:-3]}, "32 bytes, and 29 bytes follow"),
        ({"alpha": npy([1.0]), "S": npy([[-1.0]]), "discrete": npy([True])}, "one truth value"),
        ({"alpha": npy([1.0]), "S": npy([[-1.0]]), "states": npy([[0.5]])}, "whole numbers"),
    ],
)
def test_arrays_that_are_none(members, what, tmp_path):
    archive(tmp_path / "m.npz", **members)
    assert what in refusal(tmp_path / "m.npz").message


def test_a_zip_bomb(tmp_path):
    """800 MB of zeros in 0.8 MB."""
    with zipfile.ZipFile(tmp_path / "m.npz", "w", zipfile.ZIP_DEFLATED) as stream:
        stream.writestr("alpha.npy", npy([1.0]))
        with stream.open("S.npy", "w", force_zip64=True) as member:
            member.write(npy(np.zeros(0)).replace(b"(0,)", b"(1,)"))
            for _ in range(800):
                member.write(bytes(1_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "expected at most" in refusal(tmp_path / "m.npz").message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive", npy([1.0])])
def test_archives_that_are_none(content, tmp_path):
    (tmp_path / "m.npz").write_bytes(content)
    assert "no archive" in refusal(tmp_path / "m.npz").message


# -- PRISM


@pytest.mark.parametrize(
    ("suffix", "text", "line", "what"),
    [
        (".tra", "", 0, "the numbers of states and transitions"),
        (".tra", "2 3 4\n", 1, "no choices"),
        (".tra", "2\n", 1, "the numbers of states and transitions"),
        (".tra", "99999999 1\n", 1, "1 to 1,000,000"),
        (".tra", "2 1\n0 1\n", 2, "source, target and rate"),
        (".tra", "2 1\n0 2 1\n", 2, "one of 0 to 1"),
        (".tra", "2 1\n0 1 x\n", 2, "a rate, a number"),
        (".tra", "2 2\n0 1 1\n", 2, "2 lines, not 1"),
        (".tra", "2 1\n0 1 1\n0 1 1\n", 3, "1, as the first says"),
        (".lab", "", 0, "labels"),
        (".lab", "init\n", 1, 'such as 0="init"'),
        (".lab", '0="init" x\n', 1, 'such as 0="init"'),
        (".lab", '0="init"\n0 0\n', 2, "a colon"),
        (".lab", '0="init"\n0: 1\n', 2, "one of the first line"),
        (".lab", '0="init"\n5: 0\n', 2, "one of 0 to 1"),
        (".sta", "(x)\n0:(1)\n", 2, "2 states"),
        (".sta", "(x)\n1:(1)\n", 2, "state 0 of 2"),
        (".sta", "(x)\n0:(1,2)\n", 2, "1 whole numbers"),
        (".sta", "(x)\n0:(a)\n", 2, "1 whole numbers"),
        (".sta", "(x)\n0:1\n", 2, "parentheses"),
        (".sta", "(x,x)\n", 1, "different identifiers"),
        (".sta", "(x)\n0:(1)\n1:(2)\n2:(3)\n", 4, "state 2 of 2"),
    ],
)
def test_prism_names_line_and_expectation(suffix, text, line, what, tmp_path):
    (tmp_path / "m.tra").write_text("2 1\n0 1 4\n")
    (tmp_path / f"m{suffix}").write_text(text)
    with pytest.raises(FormatError) as raised:
        read(tmp_path / "m.tra")
    assert f"m{suffix}" in raised.value.message
    assert f"line {line}" in raised.value.message
    assert what in raised.value.message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("3 1\n0 1\n", "2, as in"),
        ("2 1\n0\n", "state and reward"),
        ("2 1\n5 1\n", "one of 0 to 1"),
        ("2 1\n0 nan\n", "a reward, a number"),
        ("2 2\n0 1\n", "2 lines, not 1"),
    ],
)
def test_prism_rewards_name_line_and_expectation(text, what, tmp_path):
    from phasic.interchange import read_rewards

    (tmp_path / "m.tra").write_text("2 1\n0 1 4\n")
    (tmp_path / "m.r.srew").write_text(text)
    with pytest.raises(FormatError, match=r"m\.r\.srew") as raised:
        read_rewards(tmp_path / "m.tra")
    assert what in raised.value.message


# -- anything


FUZZ = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


OUTCOMES = ("read", "FILE_", "MATRIX_", "EDGES_", "STATE_RANGE")


def outcome(path):
    """How reading ends: any other exception is a failure of the test."""
    try:
        read(path, discrete=False)
    except (FormatError, GraphError) as error:
        return error.code
    return "read"


@pytest.mark.parametrize("suffix", READABLE)
@FUZZ
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content, suffix, tmp_path):
    (tmp_path / f"m{suffix}").write_bytes(content)
    assert outcome(tmp_path / f"m{suffix}").startswith(OUTCOMES)


@pytest.mark.parametrize("suffix", READABLE)
@FUZZ
@given(data=st.data())
def test_files_with_a_piece_changed_are_read_or_refused(data, suffix, tmp_path):
    graph = walks.gamblers_ruin(1, 3) if suffix == ".tra" else epidemics.sir(2)
    path = tmp_path / f"m{suffix}"
    write(graph, path, theta=[0.5, 0.25])
    content = path.read_bytes()
    first = data.draw(st.integers(0, len(content)))
    last = data.draw(st.integers(first, min(len(content), first + 8)))
    path.write_bytes(content[:first] + data.draw(st.binary(max_size=8)) + content[last:])
    assert outcome(path).startswith(OUTCOMES)


def test_a_drn_file_that_ends_within_its_last_state(tmp_path):
    path = tmp_path / "model.drn"
    write(coalescent.kingman(5), path, theta=[1.0])
    whole = path.read_text()
    path.write_text(whole[: whole.rindex("\taction")])
    with pytest.raises(FormatError) as raised:
        read(path)
    assert raised.value.code == "FILE_FORMAT"
