"""The durable side of a running service: database, pictures and records, opened together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.settings import Settings
from api.version import VERSION
from enrollment.blobs import BlobStore
from enrollment.data_folder import require_local
from enrollment.database import Database
from enrollment.durable import make_folder
from enrollment.envelope import adopt_keyring
from enrollment.hardware_key import HardwareKey
from enrollment.keyring import Keyring
from enrollment.records import Records


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """What must survive; everything else is a view of it."""

    database: Database
    blobs: BlobStore
    keyring: Keyring
    records: Records


def keys_folder(settings: Settings) -> Path:
    """Where the keyring lies."""
    return settings.keys or settings.data / "keys"


def hardware_key(settings: Settings) -> HardwareKey | None:
    """The root key in a hardware module, where the settings name one."""
    if settings.pkcs11_module is None:
        return None
    where = (settings.pkcs11_module, settings.pkcs11_token, settings.pkcs11_key)
    return HardwareKey.of(*where, settings.pkcs11_pin_file)


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open (and bring up to date) the store the settings name, and close it at the end."""
    make_folder(settings.data)
    require_local(settings.data)
    with Database.open(settings.database_url or settings.data) as database:
        keyring = Keyring.open(keys_folder(settings), settings.key_file, hardware_key(settings))
        with database.reading() as tx:
            adopt_keyring(tx, keyring)
        blobs = BlobStore(settings.data / "blobs")
        yield Store(
            database, blobs, keyring, Records(database, blobs, keyring, software=f"tenprint/{VERSION}")
        )
