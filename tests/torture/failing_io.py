"""The n-th write, sync, rename or truncation fails, for n = 1, 2, 3… until the work passes untouched."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from enrollment.blobs import BlobStore
from enrollment.database import Database

HERE = Path(__file__).parent
COMPILER = shutil.which("cc") or shutil.which("gcc")
ERRORS = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC}


@dataclass
class Outcome:
    """calls: how many the undisturbed work makes. tried: failures injected. wrong: (n, error, what)."""

    calls: int = 0
    tried: int = 0
    refused_acts: int = 0
    wrong: list[tuple[int, str, str]] = field(default_factory=list)


def fail_each_call(scratch: Path, *, step: int = 1, first: int = 1) -> Outcome:
    """Try every `step`-th call from the `first` on, each with every error; needs a C compiler."""
    shim, empty = compile_shim(scratch), scratch / "empty"
    with Database.open(empty):
        BlobStore(empty / "blobs")
    outcome = Outcome()
    with _process(shim, empty, scratch) as process:
        whole = _ask(process, 0, 0)
        outcome.calls = whole["calls"]
        assert not whole["wrong"], whole
        for number in range(first, outcome.calls + 1, step):
            for name, error in ERRORS.items():
                found = _ask(process, number, error)
                outcome.tried += 1
                outcome.refused_acts += len(whole["acknowledged"]) - len(found["acknowledged"])
                outcome.wrong += [(number, name, each) for each in found["wrong"]]
    return outcome


def compile_shim(scratch: Path) -> Path:
    """The library that makes calls fail."""
    shim = scratch / "failing_io.so"
    command = [str(COMPILER), "-shared", "-fPIC", "-O1", "-o", str(shim), str(HERE / "failing_io.c"), "-ldl"]
    subprocess.run(command, check=True)
    return shim


def _process(shim: Path, empty: Path, scratch: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(HERE / "failing_process.py"), str(empty), str(scratch)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        text=True,
    )


def _ask(process: subprocess.Popen[str], number: int, error: int) -> dict[str, list[str] | int]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{number} {error}\n")
    process.stdin.flush()
    answer: dict[str, list[str] | int] = json.loads(process.stdout.readline())
    return answer
