"""Runs a command beside a real, temporary PostgreSQL: `python tests/postgres.py COMMAND…`.

The server listens on a free port of the loopback address, keeps its files in a temporary folder, and is
stopped and removed when the command ends. The command finds it in TENPRINT_TEST_DATABASE_URL; the exit code
is the command's. Run as root, the server runs as the user `postgres` (it refuses to run as root).
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VARIABLE = "TENPRINT_TEST_DATABASE_URL"
MISSING = """PostgreSQL's server programs are missing. On Debian or Ubuntu, install them with:
    sudo apt-get install --yes postgresql"""


@contextmanager
def temporary_postgresql() -> Iterator[str]:
    """The address of a fresh PostgreSQL server that lives as long as the block."""
    programs = find_programs()
    identity: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="tenprint-postgresql-"))
    try:
        if identity:
            shutil.chown(folder, "postgres", "postgres")
        password = secrets.token_hex(16)
        secret = folder / "password"
        secret.write_text(password)
        if identity:
            shutil.chown(secret, "postgres", "postgres")
        cluster, log = folder / "cluster", folder / "log"

        def run(program: str, *arguments: str) -> None:
            """Run one of PostgreSQL's programs as whoever may; its words are shown only when it fails."""
            command = [str(programs / program), *arguments]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, check=False, **identity
            )
            if done.returncode != 0:
                words = log.read_text() if log.exists() else ""
                sys.exit(f"{program} failed:\n{done.stdout}{done.stderr}{words}")

        run(
            "initdb",
            "--pgdata",
            str(cluster),
            "--username",
            "tenprint",
            "--pwfile",
            str(secret),
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--no-locale",
            "--data-checksums",
        )
        port = free_port()
        # Nobody cuts this machine's power between two tests: without fsync they take half as long.
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        )
        run("pg_ctl", "start", "--wait", "--pgdata", str(cluster), "--log", str(log), "--options", options)
        try:
            yield f"postgresql://tenprint:{password}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "--wait", "--mode", "immediate", "--pgdata", str(cluster))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """The folder with PostgreSQL's server programs; without one, says what to install and exits."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not debian:
        sys.exit(MISSING)
    return debian[-1].parent


def free_port() -> int:
    """A port of the loopback address nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(command: list[str]) -> int:
    """Run the command beside a server; gives its exit code."""
    if not command:
        sys.exit(__doc__)
    with temporary_postgresql() as url:
        return subprocess.run(command, env={**os.environ, VARIABLE: url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
