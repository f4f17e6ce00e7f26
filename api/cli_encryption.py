"""`tenprint encryption`: the keys that keep prints closed at rest."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer
from sqlalchemy import func, select

from api.cli_common import AsJson, Data, out, print_json, progress, remarks
from api.cli_user import operating_user
from api.errors import InvalidSettings
from api.settings import load_settings
from api.store import Store, hardware_key, keys_folder, open_store
from enrollment import audit_log, resealing
from enrollment.audit_log import AuditEntry
from enrollment.data_folder import owned
from enrollment.keyring import ROOT_FILE
from enrollment.tables import data_keys

app = typer.Typer(
    no_args_is_help=True,
    help="Show, rotate and complete the encryption of prints at rest; see docs/security.md.",
)


@app.command()
def status(data: Data = None, *, as_json: AsJson = False) -> None:
    """Show how many encounters are sealed, under which keys, and whether a rotation has to be finished.

    Try:
        tenprint encryption status --data /var/lib/tenprint
    """
    settings = load_settings(data=data)
    with open_store(settings) as store:
        document = _status(store)
    document["root_key_beside_data"] = settings.pkcs11_module is None and (
        keys_folder(settings) == settings.data / "keys" and (keys_folder(settings) / ROOT_FILE).exists()
    )
    if as_json:
        print_json(document)
        return
    out.print(f"{document['sealed']} encounters sealed, {document['unsealed']} stored before sealing")
    for key_id, count in document["keys"].items():
        out.print(f"   {key_id:16} {count} data keys", markup=False)
    if document["root_key_beside_data"]:
        remarks.print("The root key lies in the data folder: backups are protected, a stolen disk is not.")
    if document["unsealed"]:
        remarks.print("`tenprint encryption seal` seals the rest.")
    if document["superseded"]:
        remarks.print("A rotation was interrupted: `tenprint encryption rotate` finishes it.")


@app.command()
def rotate(data: Data = None) -> None:
    """Wrap every data key under new key-encryption keys and destroy the old ones.

    Works beside a running service, and goes on where it was interrupted. No print is rewritten. Backups made
    before can no longer be opened with the keyring as it is afterwards: make a new one, with its keys.

    Try:
        tenprint encryption rotate --data /var/lib/tenprint
    """
    with open_store(load_settings(data=data)) as store, progress("data keys") as advance:
        count = resealing.rotate(store.database, store.records, store.keyring, advance)
        _log(store, "rotate_keys", count)
    out.print(f"{count} data keys wrapped anew; the old keys are destroyed. Make a new backup now.")


@app.command("to-module")
def to_module(data: Data = None) -> None:
    """Move the root key into the hardware module of the settings, and delete its file.

    The module makes a key of its own, under which the keyring is sealed from then on. Stop the service first.
    Copies of the old root key open old copies of the keyring only.

    Try:
        TENPRINT_PKCS11_MODULE=/usr/lib/module.so tenprint encryption to-module --data /var/lib/tenprint
    """
    settings = load_settings(data=data)
    hardware = hardware_key(settings)
    if hardware is None:
        raise InvalidSettings("Set TENPRINT_PKCS11_MODULE and the other settings of the module.")
    hardware.make()
    by_file = settings.model_copy(update={"pkcs11_module": None})
    with owned(settings.data), open_store(by_file) as store:
        store.keyring.move_to(hardware)
        actor = operating_user()
        with store.database.transaction() as tx:
            audit_log.append(tx, AuditEntry(actor.name, actor.role, "move_root_key", "done"))
    with open_store(settings):  # it opens: only now may the file go
        (settings.key_file or keys_folder(settings) / ROOT_FILE).unlink(missing_ok=True)
    out.print("The module holds the root key now; its file is deleted. Back the module up by its own means.")


@app.command()
def seal(data: Data = None) -> None:
    """Seal what a version before sealing stored: templates, pictures, names.

    Goes on where it was interrupted, and works beside a running service. On PostgreSQL run VACUUM FULL
    afterwards: it keeps old rows until then.
    """
    with open_store(load_settings(data=data)) as store, progress("encounters") as advance:
        count = resealing.seal(store.database, store.records, store.keyring, advance)
        _log(store, "seal_store", count)
    out.print(f"{count} encounters sealed; from now on one without a data key is refused as damaged.")


def _status(store: Store) -> dict[str, Any]:
    with store.database.reading() as tx:
        unsealed = resealing.count_unsealed(tx)
        query = select(data_keys.c.key_id, func.count()).group_by(data_keys.c.key_id)
        counts = Counter({row.key_id: row[1] for row in tx.execute(query)})
    keys = {key_id: counts[key_id] for key_id in sorted(store.keyring.key_ids())}
    return {
        "sealed": counts.total(),
        "unsealed": unsealed,
        "keys": keys,
        "superseded": sorted(store.keyring.superseded()),
    }


def _log(store: Store, action: str, count: int) -> None:
    actor = operating_user()
    with store.database.transaction() as tx:
        entry = AuditEntry(actor.name, actor.role, action, "done", asked={"encounters": count})
        audit_log.append(tx, entry)
