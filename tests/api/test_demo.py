"""`tenprint demo --once` shows the main job with the real service, the first time and again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def _demo(data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "api.cli", "demo", "--once", "--data", str(data)]
    return subprocess.run(
        [*command, "--people", "40", "--port", "0"], capture_output=True, text=True, check=False, timeout=900
    )


@pytest.mark.slow
def test_demo_shows_the_main_job_and_can_be_repeated(tmp_path: Path) -> None:
    """The known person is found, the stranger is not, police hear yes and no, a batch is written; twice."""
    first = _demo(tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    for line in (
        "12 encounters acknowledged; 0 were there",
        "1. demo-03",
        "now confirmed",
        "No candidate",
        "Is this demo-03? yes",
        "Is this demo-07? no",
        "12 ANSI/NIST-ITL files",
    ):
        assert line in first.stdout
    assert len(list(tmp_path.glob("exports/*/*.an2"))) == 12

    again = _demo(tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "0 encounters acknowledged; 12 were there" in again.stdout
    assert "Nothing waited" in again.stdout
