"""What is sealed opens only whole, under its key, at its place."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment import keyring
from enrollment.errors import DamagedRecord, KeyUnavailable
from enrollment.keyring import RING_FILE, ROOT_FILE, Keyring
from enrollment.root_key import CREDENTIAL
from enrollment.sealing import KEY_BYTES, OVERHEAD_BYTES, Sealer, associated_data, new_key

PLACE = associated_data("templates", "e-1", 2)
SEALER = Sealer(new_key())


@given(st.binary(max_size=500), st.binary(max_size=50))
def test_sealed_bytes_open_again(data: bytes, place: bytes) -> None:
    """Whatever the bytes; twice sealed they differ, and the size tells only the size."""
    sealed = SEALER.seal(data, place)
    assert SEALER.open(sealed, place) == data
    assert len(sealed) == len(data) + OVERHEAD_BYTES
    assert SEALER.seal(data, place) != sealed


@given(st.binary(min_size=1, max_size=60), st.data())
def test_every_flipped_bit_is_noticed(data: bytes, draw: st.DataObject) -> None:
    """In format, nonce, ciphertext and tag alike."""
    sealed = bytearray(SEALER.seal(data, PLACE))
    bit = draw.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DamagedRecord):
        SEALER.open(bytes(sealed), PLACE)


def test_what_was_cut_moved_or_keyed_otherwise_does_not_open() -> None:
    """Nor do bytes of another encounter, another position or another key."""
    sealed = SEALER.seal(b"minutiae", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(DamagedRecord):
            SEALER.open(sealed[:length], PLACE)
    for place in (associated_data("templates", "e-1", 3), associated_data("templates", "e-12", ""), b""):
        with pytest.raises(DamagedRecord, match="moved"):
            SEALER.open(sealed, place)
    with pytest.raises(DamagedRecord, match="another key"):
        Sealer(new_key()).open(sealed, PLACE)
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"short")


def test_much_is_opened_in_its_place() -> None:
    """As `open` does, into memory of the caller; what does not open leaves a word, not bytes."""
    data = bytes(range(256)) * 4
    sealed, place = SEALER.seal(data, PLACE), bytearray(len(data))
    SEALER.open_into(memoryview(sealed), PLACE, memoryview(place))
    assert bytes(place) == data
    empty = bytearray()
    SEALER.open_into(memoryview(SEALER.seal(b"", PLACE)), PLACE, memoryview(empty))
    for wrong, room in (
        (sealed[:-1], len(data)),
        (sealed, len(data) - 1),
        (sealed, len(data) + 1),
        (b"\xff" + sealed[1:], len(data)),
        (b"", 0),
    ):
        with pytest.raises(DamagedRecord, match="cut or of another format: restore"):
            SEALER.open_into(memoryview(wrong), PLACE, memoryview(bytearray(room)))
    for at in (1, 12, 13, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(DamagedRecord, match="changed, moved or belong to another key: restore"):
            SEALER.open_into(memoryview(changed), PLACE, memoryview(bytearray(len(data))))
    with pytest.raises(DamagedRecord, match="changed, moved"):
        SEALER.open_into(memoryview(sealed), b"elsewhere", memoryview(bytearray(len(data))))


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_places_are_unambiguous(one: list[str], other: list[str]) -> None:
    """Two places have the same name only if they are the same."""
    assert (associated_data(*one) == associated_data(*other)) == (one == other)


def test_first_start_makes_a_key_only_the_owner_reads(tmp_path: Path) -> None:
    """Mode 0600, in a folder of mode 0700; the next start uses it."""
    ring = Keyring.open(tmp_path / "keys")
    assert ring.is_new
    assert not ring.plaintext
    secret = ring.secret("checkpoint")
    assert not ring.is_new
    for name in (ROOT_FILE, RING_FILE):
        assert (tmp_path / "keys" / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert secret not in (tmp_path / "keys" / RING_FILE).read_bytes()
    assert Keyring.open(tmp_path / "keys").secret("checkpoint") == secret


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Before it is used, with the command that mends it."""
    Keyring.open(tmp_path)
    (tmp_path / ROOT_FILE).chmod(mode)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        Keyring.open(tmp_path)


def test_lost_root_key_is_not_replaced(tmp_path: Path) -> None:
    """A ring without its root key is a question for whoever keeps the key, not a reason for a new one."""
    Keyring.open(tmp_path).secret("x")
    (tmp_path / ROOT_FILE).unlink()
    with pytest.raises(KeyUnavailable, match="put it back"):
        Keyring.open(tmp_path)
    assert not (tmp_path / ROOT_FILE).exists()


@pytest.mark.parametrize("content", [b"", b"no base64!", base64.b64encode(b"short")])
def test_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A wrong file named by mistake."""
    file = tmp_path / "named.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(KeyUnavailable, match="holds no root key"):
        Keyring.open(tmp_path / "keys", file)


def test_root_key_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named file, or systemd's credential, which comes first; then no key lies beside the ring."""
    file, credentials = tmp_path / "root", tmp_path / "credentials"
    file.write_bytes(base64.b64encode(new_key()))
    file.chmod(0o600)
    secret = Keyring.open(tmp_path / "keys", file).secret("x")
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert Keyring.open(tmp_path / "keys", file).secret("x") == secret, "other credentials do not count"
    (credentials / CREDENTIAL).write_bytes(file.read_bytes())
    assert Keyring.open(tmp_path / "keys").secret("x") == secret
    assert not (tmp_path / "keys" / ROOT_FILE).exists()
    (credentials / CREDENTIAL).write_bytes(base64.b64encode(new_key()))
    with pytest.raises(KeyUnavailable, match="does not open with this root key"):
        Keyring.open(tmp_path / "keys")


def test_key_of_a_period_is_made_once_for_all_processes(tmp_path: Path) -> None:
    """Two open rings share the file: what one wraps the other unwraps, also under keys made since."""
    one, other = Keyring.open(tmp_path), Keyring.open(tmp_path)
    key_id, wrapped = one.wrap("2026-11.1", b"k" * KEY_BYTES, PLACE)
    assert key_id == "2026-11.1/1"
    assert other.wrap("2026-11.1", b"k" * KEY_BYTES, PLACE)[0] == key_id
    assert other.unwrap(key_id, wrapped, PLACE) == b"k" * KEY_BYTES
    with pytest.raises(DamagedRecord):
        other.unwrap(key_id, wrapped, associated_data("data_keys", "another"))


def test_renewed_key_wraps_and_the_old_one_opens_until_it_is_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation has a middle in which both are there; a ring opened before it notices."""
    before, ring = Keyring.open(tmp_path), Keyring.open(tmp_path)
    old, wrapped = before.wrap("2026-11.-", b"k" * KEY_BYTES, PLACE)
    ring.renew()
    assert ring.superseded() == (old,)
    assert before.wrap("2026-11.-", b"n" * KEY_BYTES, PLACE)[0] == "2026-11.-/2"
    assert before.unwrap(old, wrapped, PLACE) == b"k" * KEY_BYTES
    monkeypatch.setattr(keyring, "GRACE_S", 0.2)
    ring.destroy([old, "never there/1"])
    assert ring.superseded() == ()
    assert set(before.key_ids()) == {"2026-11.-/2"}
    assert before.unwrap(old, wrapped, PLACE) == b"k" * KEY_BYTES, "what was read before still opens a while"
    time.sleep(0.3)
    for each in (before, ring, Keyring.open(tmp_path)):
        with pytest.raises(KeyUnavailable, match="destroyed"):
            each.unwrap(old, wrapped, PLACE)
    assert b"k" * KEY_BYTES not in (tmp_path / RING_FILE).read_bytes()


def test_forgotten_secret_opens_nothing_any_more(tmp_path: Path) -> None:
    """A checkpoint sealed before an erasure is unreadable after it."""
    ring = Keyring.open(tmp_path)
    sealed = ring.sealer("checkpoint").seal(b"vectors", PLACE)
    assert Keyring.open(tmp_path).sealer("checkpoint").open(sealed, PLACE) == b"vectors"
    ring.forget_secret("checkpoint")
    with pytest.raises(DamagedRecord):
        ring.sealer("checkpoint").open(sealed, PLACE)
