"""Times the library against its peers in one run and writes the numbers down.

    python scripts/bench/run.py --json results.json --markdown results.md

Needs the library installed, with JAX and optax for `jax` and `inference`; a C compiler and
libsuitesparse-dev for KLU; a package registry, at the first run, for phasic 0.32.1 and scipy, and
libeigen3-dev, nlohmann-json3-dev and libmpfr-dev for its JAX models. A peer that cannot be had is
reported as absent. Exit status: 0, or 1 where a target is missed.
"""

import argparse
import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import caches
import contest
import densities
import density_models
import inference
import jax_calls
import report
import shipped
from klu import Klu
from models import selection
from peers import PeerEnvironment
from results import Results
from sessions import Sessions
from workers import Absent

DEFAULT_WORK_DIR = Path.home() / ".cache" / "phasic-bench"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument("--markdown", type=Path, help="write the tables here, not to stdout")
    parser.add_argument(
        "--work-dir",
        type=Path,
        default=DEFAULT_WORK_DIR,
        help="where peers are installed and kept (default: %(default)s)",
    )
    parser.add_argument("--models", default="", help="only models whose name matches this pattern")
    parser.add_argument("--large", action="store_true", help="SIRS with 45,150 states too")
    parser.add_argument(
        "--only",
        choices=("contest", "densities", "jax", "inference", "shipped", "cache", "sessions"),
        help="only evaluation, densities, JAX models, fits, models that ship, caches, or the rest",
    )
    parser.add_argument(
        "--no-python-peers",
        action="store_true",
        help="leave phasic 0.32.1 and splu out, and say so",
    )
    return parser.parse_args()


def _machine() -> dict[str, object]:
    described = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        described.setdefault(name.strip(), value.strip())
    flags = described.get("flags", "").split()
    sets = [name for name in ("avx2", "avx512f") if name in flags]
    return {
        "cpu": described.get("model name", platform.machine()),
        "cores": os.cpu_count(),
        "instruction_set": " ".join(sets) or "baseline",
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.platform(),
    }


def main() -> int:
    """Runs everything that was asked for."""
    options = _arguments()
    work_dir = options.work_dir.resolve()
    work_dir.mkdir(parents=True, exist_ok=True)
    results = Results(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        machine=_machine(),
        versions={
            "phasic": version("phasic"),
            "Python": platform.python_version(),
            "numpy": version("numpy"),
        },
    )
    klu = peers = None
    if options.only in (None, "contest"):
        try:
            klu = Klu(work_dir)
        except Absent as absent:
            _say_absent(absent, results)
    try:
        if options.no_python_peers:
            raise Absent("phasic 0.32.1", "left out by --no-python-peers")
        peers = PeerEnvironment(work_dir)
        if peers.no_jax:
            _say_absent(Absent("JAX of phasic 0.32.1", peers.no_jax), results)
    except Absent as absent:
        _say_absent(absent, results)
        results.absent["splu"] = absent.reason

    if options.only in (None, "contest"):
        for model in selection(options.large):
            if re.search(options.models, model.name):
                print(model.name, file=sys.stderr, flush=True)
                contest.run(model, klu, peers, work_dir, results)
                _write(options, results)
    if options.only in (None, "densities"):
        for model in density_models.selection():
            if re.search(options.models, model.name):
                print(f"density of {model.name}", file=sys.stderr, flush=True)
                densities.run(model, peers, work_dir, results)
                _write(options, results)
        densities.beside(results)
    if options.only in (None, "jax"):
        print("JAX", file=sys.stderr, flush=True)
        jax_calls.run(peers, results)
        _write(options, results)
    if options.only in (None, "inference"):
        print("inference", file=sys.stderr, flush=True)
        inference.Inference(peers, work_dir, results).run()
        _write(options, results)
    if options.only in (None, "shipped"):
        print("models that ship", file=sys.stderr, flush=True)
        shipped.run(results)
        _write(options, results)
    if options.only in (None, "cache"):
        print("caches", file=sys.stderr, flush=True)
        caches.Caches(peers, work_dir, results).run()
        _write(options, results)
    if options.only in (None, "sessions"):
        print("sessions", file=sys.stderr, flush=True)
        Sessions(peers, work_dir, results).run()

    _write(options, results)
    if not options.markdown:
        print(report.markdown(results))
    missed = [figure.name for figure in results.figures if figure.met is False]
    for name in missed:
        print(f"missed: {name}", file=sys.stderr)
    return 1 if missed else 0


def _write(options: argparse.Namespace, results: Results) -> None:
    """Writes what is there so far: a long run that is stopped has not been for nothing."""
    if options.json:
        options.json.write_text(results.as_text())
    if options.markdown:
        options.markdown.write_text(report.markdown(results))


def _say_absent(absent: Absent, results: Results) -> None:
    print(f"ABSENT: {absent}", file=sys.stderr, flush=True)
    results.absent[absent.who] = absent.reason


if __name__ == "__main__":
    sys.exit(main())
