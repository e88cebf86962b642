"""Compiling C programs against the engine's sources, without any build system."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ENGINE = Path(__file__).parents[1] / "engine_c"
FLAGS = ("-std=gnu11", "-ffp-contract=off", f"-I{ENGINE / 'include'}", f"-I{ENGINE / 'src'}")


def compile_program(source: Path, directory: Path, *flags: str) -> Path:
    """An executable from one source file and the engine, less its kernels: an archive gives a
    program only what it calls, so programs here may record, save and load, and not evaluate."""
    compiler = os.environ.get("CC", "cc")
    directory.mkdir(parents=True, exist_ok=True)

    def compile_one(file: Path) -> Path:
        target = directory / f"{file.stem}.o"
        command = [compiler, *FLAGS, *flags, "-c", file, "-o", target]
        subprocess.run(command, check=True, capture_output=True)
        return target

    sources = [
        file
        for file in (ENGINE / "src").glob("*.c")
        if "kernel" not in file.stem and "avx" not in file.stem
    ]
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_one, sources))
    archive = directory / "libptd.a"
    subprocess.run(["ar", "rcs", archive, *objects], check=True, capture_output=True)
    program = directory / source.stem
    command = [compiler, *FLAGS, *flags, source, archive, "-lm", "-pthread", "-o", program]
    subprocess.run(command, check=True, capture_output=True)
    return program
