"""`tenprint backup`: a copy of the store that can be restored, while it works."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli_common import Data, out, progress, remarks
from api.cli_user import operating_user
from api.exit_codes import INPUT_REFUSED
from api.settings import load_settings
from api.store import keys_folder, open_store
from enrollment import audit_log
from enrollment.audit_log import AuditEntry
from enrollment.backup import back_up

app = typer.Typer()


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for this backup.")],
    keys: Annotated[
        bool, typer.Option("--with-keys", help="Copy the keyring and the root key too: the copy can be read.")
    ] = False,
    data: Data = None,
) -> None:
    """Copy database and pictures into a folder, sealed as they are, while the service works.

    Try:
        tenprint backup /backup/2026-11-23

    The keys are left out unless asked for: keep them apart, a backup without them opens for nobody. On
    PostgreSQL use pgBackRest for the database and copy the folder `blobs` after it: see docs/security.md.

    Exit code 1: done, but some pictures were damaged already and are not in the copy.
    """
    settings = load_settings(data=data)
    with open_store(settings) as store, progress("pictures") as advance:
        report = back_up(
            store.database, store.blobs, keys_folder(settings) if keys else None, target, advance
        )
        actor = operating_user()
        asked = {"encounters": report.encounters, "pictures": report.pictures, "keys": report.keys}
        with store.database.transaction() as tx:
            audit_log.append(tx, AuditEntry(actor.name, actor.role, "backup", "done", asked=asked))
    out.print(f"{report.encounters} encounters, {report.pictures} pictures in {target}", markup=False)
    if keys:
        remarks.print("The keys are in it: whoever has this backup can read it.")
    for address in report.damaged:
        remarks.print(f"damaged, not copied: {address}", markup=False)
    if report.damaged:
        sys.exit(INPUT_REFUSED)
