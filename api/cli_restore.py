"""`tenprint restore`: a backup becomes a store again, and is examined."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.chores import audit_signer
from api.cli_common import Data, out, progress, remarks
from api.cli_user import operating_user
from api.exit_codes import CANNOT_WORK
from api.settings import load_settings
from api.store import keys_folder, open_store
from enrollment import audit_log
from enrollment.audit_log import AuditEntry
from enrollment.audit_verification import verify
from enrollment.backup import restore as put_back
from enrollment.database import audit_seal_of
from enrollment.doctor import examine

app = typer.Typer()


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="A folder made by `tenprint backup`.")],
    data: Data = None,
) -> None:
    """Put a backup into a data folder that holds no store, then examine every record, picture and audit row.

    Try:
        tenprint restore /backup/2026-11-23 --data /var/lib/tenprint

    Keys come from the backup if it has them, else from TENPRINT_KEYS or `keys` in the data folder. What was
    erased after the backup is back: run `tenprint retention run`, and erase by hand what was so before.

    Exit code 3: the backup or the restored store is damaged.
    """
    settings = load_settings(data=data)
    with progress("pictures") as advance:
        report = put_back(source, settings.data, keys_folder(settings), advance)
    with open_store(settings) as store:
        examined = examine(store.database, store.records)
        findings = [f"{each.check} {each.subject}: {each.detail}" for each in examined]
        with store.database.reading() as tx:
            tampering = verify(tx, audit_seal_of(tx), audit_signer(store).verifier)
            findings += [f"audit {each.where}: {each.detail}" for each in tampering]
        actor = operating_user()
        asked = {"encounters": report.encounters, "findings": len(findings)}
        with store.database.transaction() as tx:
            audit_log.append(tx, AuditEntry(actor.name, actor.role, "restore", "done", asked=asked))
    out.print(f"{report.encounters} encounters, {report.pictures} pictures restored and examined")
    for finding in findings:
        remarks.print(finding, markup=False)
    if findings:
        sys.exit(CANNOT_WORK)
