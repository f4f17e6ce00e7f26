"""Work on the keys of a whole store, in small steps: sealing what is older than sealing, and rotation.

Both go on where they were interrupted: what is left to do is what the store and the keyring say, nothing
else is remembered. Searches and enrolments go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from enrollment.database import Database, insert_if_absent, order_changes
from enrollment.encounter import utc_now
from enrollment.envelope import DataKey, period_of
from enrollment.key_provider import KeyProvider
from enrollment.keyring import Keyring
from enrollment.record_rows import particulars_columns, particulars_of
from enrollment.records import Records
from enrollment.tables import data_keys, encounters, images, released_blobs, templates

#: Receives (done, total).
Progress = Callable[[int, int], None]
#: Data keys rewrapped in one transaction: some milliseconds.
BATCH = 200

_WITHOUT_KEY = encounters.c.encounter_id.not_in(select(data_keys.c.encounter_id))


def count_unsealed(tx: Connection) -> int:
    """How many encounters are still stored as before sealing."""
    return int(tx.execute(select(func.count()).select_from(encounters).where(_WITHOUT_KEY)).scalar_one())


def seal(database: Database, records: Records, keyring: Keyring, progress: Progress) -> int:
    """Seal every encounter stored before sealing, each in its own transaction; gives how many.

    From then on an encounter without a data key is damage.
    """
    with database.reading() as tx:
        total = count_unsealed(tx)
        waiting = tx.execute(select(encounters.c.encounter_id).where(_WITHOUT_KEY)).scalars().all()
    for done, encounter_id in enumerate(waiting, start=1):
        _seal_one(database, records, encounter_id)
        progress(done, total)
    records.sweep_released()
    keyring.allow_plaintext(False)
    return total


def rotate(database: Database, records: Records, keyring: KeyProvider, progress: Progress) -> int:
    """Wrap every data key under a new version of its key, then destroy the old versions; gives how many.

    Goes on with a rotation that was interrupted. Keys of periods of which nothing is left are destroyed too.
    """
    if not keyring.superseded():
        keyring.renew()
    old = tuple(keyring.superseded())
    with database.reading() as tx:
        total = int(tx.execute(select(func.count()).where(data_keys.c.key_id.in_(old))).scalar_one())
    done = 0
    while rewrapped := _rewrap_batch(database, records, old):
        done += rewrapped
        progress(done, max(total, done))
    destroy_unused(database, keyring)
    database.settle()
    return done


def destroy_unused(database: Database, keyring: KeyProvider) -> Sequence[str]:
    """Destroy the keys that nothing is wrapped under, save this month's; gives their ids."""
    with database.transaction() as tx:
        order_changes(tx)  # whoever stores a data key holds this too: none can appear between look and deed
        used = set(tx.execute(select(data_keys.c.key_id).distinct()).scalars())
        superseded, month = set(keyring.superseded()), period_of(utc_now(), None).partition(".")[0]
        unused = [
            key_id
            for key_id in keyring.key_ids()
            if key_id not in used and (key_id in superseded or not key_id.startswith(month))
        ]
        keyring.destroy(unused)
    return unused


def _rewrap_batch(database: Database, records: Records, old: Sequence[str]) -> int:
    with database.transaction() as tx:
        order_changes(tx)
        rows = tx.execute(select(data_keys).where(data_keys.c.key_id.in_(old)).limit(BATCH)).all()
        for row in rows:
            key_id, wrapped = records.envelope.rewrap(row)
            tx.execute(
                update(data_keys)
                .where(data_keys.c.encounter_id == row.encounter_id)
                .values(key_id=key_id, wrapped=wrapped)
            )
    return len(rows)


def _seal_one(database: Database, records: Records, encounter_id: str) -> None:
    """Everything of one encounter, at once or not at all."""
    key = DataKey.new(encounter_id)
    with database.reading() as tx:
        plain = (images.c.encounter_id == encounter_id) & images.c.blob.is_(None)
        pictures = tx.execute(select(images).where(plain)).all()
    kept = {row.position: _keep_sealed(records, key, row) for row in pictures}
    with database.transaction() as tx:
        order_changes(tx)
        chosen = select(encounters).where(encounters.c.encounter_id == encounter_id, _WITHOUT_KEY)
        encounter = tx.execute(chosen).one_or_none()
        if encounter is None:
            return  # erased, or sealed by another run
        columns = particulars_columns(particulars_of(encounter, None), key)
        tx.execute(update(encounters).where(encounters.c.encounter_id == encounter_id).values(**columns))
        for row in tx.execute(select(templates).where(templates.c.encounter_id == encounter_id)).all():
            _set(tx, templates, row, data=key.seal_template(row.position, row.codec, row.data))
        for row in pictures:
            _set(tx, images, row, blob=kept[row.position])
            insert_if_absent(tx, released_blobs, {"sha256": row.sha256})
        records.envelope.keep(tx, key, encounter.category)


def _keep_sealed(records: Records, key: DataKey, row: Row[Any]) -> str:
    return records.blobs.put(key.seal_picture(row.position, row.sha256, records.blobs.get(row.sha256)))


def _set(tx: Connection, table: Any, row: Row[Any], **values: Any) -> None:
    here = (table.c.encounter_id == row.encounter_id) & (table.c.position == row.position)
    tx.execute(update(table).where(here).values(**values))
