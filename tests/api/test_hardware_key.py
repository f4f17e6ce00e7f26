"""The root key in a module: a real PKCS#11 library, SoftHSM, holds it; nothing opens without."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import Call, caller

from api.exit_codes import CANNOT_WORK, DONE
from enrollment.errors import DamagedRecord, KeyUnavailable
from enrollment.hardware_key import PIN_CREDENTIAL, HardwareKey
from enrollment.keyring import RING_FILE, ROOT_FILE, Keyring
from enrollment.sealing import Sealer, new_key

pytest.importorskip("pkcs11")
_LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
MODULE = next((Path(each) for each in _LIBRARIES if Path(each).exists()), None)
TOOL = shutil.which("softhsm2-util")
pytestmark = pytest.mark.skipif(MODULE is None or TOOL is None, reason="SoftHSM is missing: softhsm2")
PIN = "274613"


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library, with a token of this test's own: it reads its configuration once a process."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    for label in ("tenprint", "another"):
        token = ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "90210"]
        subprocess.run([str(TOOL), *token], check=True, capture_output=True)
    assert MODULE is not None
    return MODULE


@pytest.fixture
def key(module: Path) -> HardwareKey:
    """A key on the token."""
    made = HardwareKey(module, "tenprint", "root", PIN)
    made.make()
    return made


def test_module_seals_and_opens_what_belongs_together(key: HardwareKey) -> None:
    """A changed bit, another place, another format: damage. Nothing tells the PIN."""
    sealed = key.seal(b"a ring", b"place")
    assert key.open(sealed, b"place") == b"a ring"
    assert key.seal(b"a ring", b"place") != sealed
    assert PIN not in repr(key)
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong, place in ((changed, b"place"), (sealed, b"elsewhere"), (sealed[:20], b"place"), (b"", b"")):
        with pytest.raises(DamagedRecord):
            key.open(wrong, place)
    with pytest.raises(DamagedRecord, match="not sealed by a hardware module"):
        key.open(Sealer(new_key()).seal(b"a ring", b"place"), b"place")
    assert key.make() is False


def test_key_never_leaves_the_module(key: HardwareKey) -> None:
    """The module itself refuses to show it."""
    import pkcs11

    with key._session() as session:
        (held,) = key._keys(session)
        with pytest.raises(pkcs11.PKCS11Error):
            held[pkcs11.Attribute.VALUE]


def test_module_that_refuses_is_no_open_keyring(module: Path, tmp_path: Path) -> None:
    """A wrong PIN, a token or a key that is not there, a library that is none."""
    for wrong in (
        HardwareKey(module, "tenprint", "root", "000000"),
        HardwareKey(module, "no such token", "root", PIN),
        HardwareKey(tmp_path / "none.so", "tenprint", "root", PIN),
    ):
        with pytest.raises(KeyUnavailable, match="refuses"):
            wrong.seal(b"", b"")
    with pytest.raises(KeyUnavailable, match="no key nothing"):
        HardwareKey(module, "another", "nothing", PIN).seal(b"", b"")


def test_keyring_lives_under_the_module(key: HardwareKey, tmp_path: Path) -> None:
    """Wrapped keys open after a restart, and with another key of a module not at all; no key file is made."""
    ring = Keyring.open(tmp_path, hardware=key)
    key_id, wrapped = ring.wrap("2026-11.1", b"x" * 32, b"place")
    assert Keyring.open(tmp_path, hardware=key).unwrap(key_id, wrapped, b"place") == b"x" * 32
    assert not (tmp_path / ROOT_FILE).exists()
    other = HardwareKey(key._module, "another", "root", PIN)
    other.make()
    with pytest.raises(KeyUnavailable, match="does not open with this root key"):
        Keyring.open(tmp_path, hardware=other)


def test_move_that_fails_leaves_the_ring_as_it_was(key: HardwareKey, tmp_path: Path) -> None:
    """A module that refuses: the file's key goes on, in this process and the next."""
    ring = Keyring.open(tmp_path)
    secret, before = ring.secret("a use"), (tmp_path / RING_FILE).read_bytes()
    with pytest.raises(KeyUnavailable):
        ring.move_to(HardwareKey(key._module, "tenprint", "root", "000000"))
    assert (tmp_path / RING_FILE).read_bytes() == before
    ring.secret("another use")
    assert Keyring.open(tmp_path).secret("a use") == secret


def test_pin_is_read_from_a_closed_file_or_systemd(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file others may read is refused; the credential wins over the file."""
    pin = tmp_path / "pin"
    with pytest.raises(KeyUnavailable, match="name one"):
        HardwareKey.of(module, "tenprint", "root", pin)
    pin.write_text(f"{PIN}\n")
    pin.chmod(0o644)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        HardwareKey.of(module, "tenprint", "root", pin)
    pin.chmod(0o600)
    HardwareKey.of(module, "tenprint", "root", pin).make()
    (tmp_path / PIN_CREDENTIAL).write_text("000000")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(KeyUnavailable, match="refuses"):
        HardwareKey.of(module, "tenprint", "root", pin).make()


def test_store_moves_into_the_module(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key file goes, the store opens with the module and no longer without."""
    call: Call = caller(monkeypatch, capsys)
    data, pin = tmp_path / "data", tmp_path / "pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    monkeypatch.setenv("TENPRINT_DATA", str(data))
    call("keys", "create", "--role", "desk")
    assert "TENPRINT_PKCS11_MODULE" in call("encryption", "to-module").err
    monkeypatch.setenv("TENPRINT_PKCS11_MODULE", str(module))
    monkeypatch.setenv("TENPRINT_PKCS11_PIN_FILE", str(pin))
    moved = call("encryption", "to-module")
    assert moved.code == DONE, moved.err
    assert not (data / "keys" / ROOT_FILE).exists()
    assert call("encryption", "status", "--json").document["root_key_beside_data"] is False
    assert call("audit", "verify").code == DONE
    monkeypatch.delenv("TENPRINT_PKCS11_MODULE")
    assert call("audit", "verify").code == CANNOT_WORK
