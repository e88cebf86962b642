"""The guide: its examples do what it says, it has every page and command, and its scripts run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import command_reference
import examples

DOCS = Path(__file__).parents[1] / "docs"
GENERATED = DOCS / "commands.md"
CONTENTS = DOCS / "index.md"
PAGES = sorted(set(DOCS.glob("*.md")) - {GENERATED, CONTENTS})
RUN = {"python", "console"}
SHOWN = {"text"}  # what the block before it prints


def test_there_are_ten_pages_and_all_are_in_the_contents():
    assert len(PAGES) == 10
    listed = re.findall(r"^[\w-]+$", CONTENTS.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(page.stem for page in [*PAGES, GENERATED])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_example_does_what_its_page_says(page, tmp_path):
    examples.trial(page, tmp_path)
    for name in re.findall(rf"\(figures/{page.stem}/(\S+)\)", page.read_text()):
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_is_an_example_or_what_one_prints(page):
    found = examples.blocks(page)
    assert page.read_text().count("\n```") == 2 * len(found)
    assert RUN & {block.language for block in found}
    assert not [block for block in found if not block.file and block.language not in RUN | SHOWN]


def test_the_command_reference_is_that_of_the_code():
    """Else: python scripts/command_reference.py > docs/commands.md"""
    assert GENERATED.read_text() == command_reference.reference()


# -- the runner of examples

PASSES = """
```{code-block} text
:caption: numbers.txt

3
4
```

```python
print(sum(int(line) for line in open("numbers.txt")))  # 7
print([1, 2])  # [1, ...]
```

```python
for word in "one", "two":
    print(word)
```

```text
one
two
```

```console
$ word=three
$ for again in 1 2; do
>   echo $word $again
> done
three 1
three 2
$ false || echo "exit code $?"
exit code 1
```
"""


def outcome_of(page: str, folder: Path) -> str:
    path = folder / "page.md"
    path.write_text(page)
    place = folder / "place"
    place.mkdir()
    try:
        examples.trial(path, place)
    except examples.ExampleFailed as failure:
        return str(failure)
    return ""


def test_a_page_that_is_right_passes(tmp_path):
    assert outcome_of(PASSES, tmp_path) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("# 7", "# 8", "page.md, line 9 prints something else"),
        ("one\ntwo\n```", "one\n```", "page.md, line 14 prints something else"),
        ("three 1", "three 2", "page.md, line 24 prints something else"),
        ("```text\none\ntwo\n```", "", "page.md, line 14 prints something else"),
        (' || echo "exit code $?"', "", "ended with 1"),
        ("[1, 2]", "[1, 2", "SyntaxError"),
        ("print([1, 2])", "raise KeyError", 'File "page.md", line 11'),
        ("print([1, 2])", "assert (1, 2); print([1, 2])", "assertion is always true"),  # a warning
    ],
)
def test_a_page_that_is_wrong_fails(right, wrong, said, tmp_path):
    assert right in PASSES
    assert said in outcome_of(PASSES.replace(right, wrong, 1), tmp_path)


# -- scripts for clusters

SCRIPTS = sorted((DOCS / "slurm").iterdir())

# What SLURM would tell the processes of a step, on one node.
SRUN = """\
#!/bin/bash
export SLURM_JOB_ID=$$ SLURM_STEP_NODELIST=localhost
export SLURM_NTASKS=2 SLURM_STEP_NUM_TASKS=2 SLURM_STEP_NUM_NODES=1 SLURM_JOB_NUM_NODES=1
SLURM_PROCID=1 SLURM_LOCALID=1 "$@" &
SLURM_PROCID=0 SLURM_LOCALID=0 "$@"
first=$?
wait $! && exit $first
"""


def test_every_script_is_in_the_guide():
    shown = {block.file for block in examples.blocks(DOCS / "clusters.md")}
    assert {script.name for script in SCRIPTS} <= shown


@pytest.mark.parametrize(
    "script", [one for one in SCRIPTS if one.suffix == ".sh"], ids=lambda one: one.name
)
def test_what_scripts_ask_of_slurm_stands_before_their_first_command(script):
    """sbatch reads no further than that."""
    first, *lines = script.read_text().splitlines()
    assert first == "#!/bin/bash"
    asked = [k for k, line in enumerate(lines) if line.startswith("#SBATCH --")]
    assert asked == list(range(len(asked)))
    assert len(asked) >= 4


def test_a_fit_by_several_processes(tmp_path):
    for script in SCRIPTS:
        (tmp_path / script.name).write_text(script.read_text())
    (tmp_path / "srun").write_text(SRUN)
    (tmp_path / "srun").chmod(0o755)
    line = f"PATH={tmp_path}:$PATH JAX_PLATFORMS=cpu bash fit.sh data.txt"
    _, said = examples.shell(["seq 0.5 0.1 3 > data.txt", line], tmp_path)
    assert re.search(r"^2 devices, mean \[\d\.\d+\] sd \[0\.\d+\]$", said, re.MULTILINE)
