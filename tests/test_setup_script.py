"""`setup.sh` names the exact command to run before anything else when something is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _run_setup(folder: Path, interpreter: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": interpreter, "VENV": str(folder / "venv")}
    return subprocess.run(
        ["/bin/sh", str(ROOT / "setup.sh")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _fake_python(folder: Path, refused: str) -> str:
    """An interpreter that fails for every `-c` program that mentions `refused`."""
    path = folder / "python3"
    program = [
        "#!/bin/sh",
        f'case "$2" in *{refused}*) exit 1;; esac',
        '[ "$1" = --version ] && echo "Python 3.9.2"',
        "exit 0",
    ]
    path.write_text("\n".join(program) + "\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("refused", "message"), [("version_info", "too old"), ("ensurepip", "no venv module")]
)
def test_the_first_line_is_the_command_to_run(tmp_path: Path, refused: str, message: str) -> None:
    """An old Python, or one without venv: the apt-get line comes first, the reason after it."""
    finished = _run_setup(tmp_path, _fake_python(tmp_path, refused))
    assert finished.returncode == 1
    lines = finished.stdout.splitlines()
    assert (
        lines[0] == "apt-get install -y python3 python3-venv" or lines[0] == "apt-get install -y python3-venv"
    )
    assert message in finished.stdout
    assert not (tmp_path / "venv").exists()


def test_no_python_at_all_is_said_first(tmp_path: Path) -> None:
    """A machine without Python gets the same treatment."""
    finished = _run_setup(tmp_path, str(tmp_path / "absent"))
    assert finished.returncode == 1
    assert finished.stdout.startswith("apt-get install -y python3 python3-venv\n")
