"""A process that exports and, when told so, kills itself after a number of files: see test_eurodac.py.

Usage: exporting_process.py STORE FOLDER KILL_AT (0: do not).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from export_support import OPERATOR, PROFILE, Clock  # noqa: E402 - the paths come first

from enrollment.blobs import BlobStore  # noqa: E402
from enrollment.database import Database  # noqa: E402
from enrollment.keyring import Keyring  # noqa: E402
from enrollment.records import Records  # noqa: E402
from enrollment.sandbox import DecoderSandbox  # noqa: E402
from workflow.eurodac import Exporter, export  # noqa: E402


def main(place: str, folder: Path, kill_at: int) -> None:
    """Export everything that waits."""

    def maybe_die(done: int, total: int) -> None:
        if done == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with Database.open(place) as database, DecoderSandbox(workers=1) as sandbox:
        records = Records(database, BlobStore(folder / "blobs"), Keyring.open(folder / "keys"))
        exporter = Exporter(database, records, sandbox, PROFILE)
        while export(exporter, folder / "export", actor=OPERATOR, now=Clock(), progress=maybe_die).batch:
            pass


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
