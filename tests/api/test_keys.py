"""API keys: shown once, kept as a hash, refused when closed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from api import keys
from api.errors import NotAuthenticated
from api.gate import authenticate
from api.roles import Role
from api.store import Store
from enrollment import audit_log
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.encounter import utc_now
from enrollment.errors import UnknownRecord
from enrollment.keyring import Keyring
from enrollment.records import Records


@pytest.fixture
def store(database: Database, blobs: BlobStore, keyring: Keyring, records: Records) -> Store:
    """A store on each database."""
    return Store(database, blobs, keyring, records)


def _key(store: Store, role: Role = Role.DESK, name: str | None = None, days: int | None = None) -> str:
    now = utc_now()
    expires_at = None if days is None else now + timedelta(days=days)
    with store.database.transaction() as tx:
        return keys.create(tx, role, name, now=now, expires_at=expires_at)


def test_key_opens_and_says_whose_it_is(store: Store) -> None:
    """The role and the name come from the store, not from the key."""
    key = _key(store, Role.EXAMINER, "A. Peeters")
    caller = authenticate(store, f"Bearer {key}")
    assert (caller.role, caller.name) == (Role.EXAMINER, "A. Peeters")
    assert caller.prefix in key


def test_key_has_256_random_bits(store: Store) -> None:
    """43 characters of base64 carry 256 bits; two keys differ."""
    one, other = _key(store), _key(store)
    assert len(one.split("_", 2)[2]) == 43
    assert one != other


def test_key_itself_is_not_stored(store: Store) -> None:
    """Nothing in the table contains the secret."""
    key = _key(store)
    with store.database.reading() as tx:
        stored = str(tx.execute(text("SELECT * FROM api_keys")).all())
    assert key not in stored
    assert key.split("_", 2)[2] not in stored


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer  ", "Basic dXNlcjpwYXNz", "Bearer tp_aaaaaaaa_x", "é"]
)
def test_header_without_a_known_key_is_refused(store: Store, header: str | None) -> None:
    """The sentence says how to send one."""
    with pytest.raises(NotAuthenticated, match="Authorization: Bearer"):
        authenticate(store, header)


def test_revoked_key_is_refused_and_the_attempt_is_logged(store: Store) -> None:
    """From the next request on, without a restart."""
    key = _key(store)
    with store.database.transaction() as tx:
        keys.revoke(tx, keys.prefix_of(key), now=utc_now())
    with pytest.raises(NotAuthenticated, match="revoked"):
        authenticate(store, f"Bearer {key}")
    with store.database.reading() as tx:
        assert [entry.outcome for entry in audit_log.entries(tx)] == ["denied"]


def test_expired_key_is_refused(store: Store) -> None:
    """An expiry needs nobody to act."""
    with pytest.raises(NotAuthenticated, match="expired"):
        authenticate(store, f"Bearer {_key(store, days=-1)}")


def test_revoking_twice_keeps_the_first_time(store: Store) -> None:
    """When it was closed is a fact."""
    prefix = keys.prefix_of(_key(store))
    with store.database.transaction() as tx:
        first = keys.revoke(tx, prefix, now=utc_now())
        second = keys.revoke(tx, prefix, now=utc_now())
    assert first.revoked_at == second.revoked_at is not None


def test_revoking_an_unknown_key_says_so(store: Store) -> None:
    """A typing error does not look like success."""
    with store.database.transaction() as tx, pytest.raises(UnknownRecord, match="keys list"):
        keys.revoke(tx, "nonesuch", now=utc_now())
