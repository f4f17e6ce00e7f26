"""Time-stamps of a real authority, `openssl ts`: kept when they hold, found out when they do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from stamping import OPENSSL, answered, make_authority, openssl, serving_authority

from enrollment.audit_checkpoints import Signer
from enrollment.errors import DamagedRecord, TimeStampRefused
from enrollment.timestamps import TimeStamps, post

pytest.importorskip("rfc3161_client")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is the authority of these tests")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority: root certificate, signing certificate, keys, serial numbers."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def ask(authority: Path) -> Callable[[bytes], bytes]:
    """Have the authority answer a query."""
    return partial(answered, authority)


@pytest.fixture
def stamps(authority: Path, tmp_path: Path) -> TimeStamps:
    """No time-stamps yet; the authority is believed."""
    return TimeStamps(tmp_path / "stamps", authority / "root.pem")


def _note(size: int = 7) -> str:
    return Signer(bytes(range(32))).sign(size, bytes(32), size).note


def test_checkpoint_is_stamped_and_checked(
    stamps: TimeStamps, ask: Callable[[bytes], bytes], authority: Path
) -> None:
    """The authority's time is ours; its answer is kept as it came, and openssl accepts it too."""
    assert stamps.newest() == 0
    assert list(stamps.check({})) == []
    at = stamps.stamp(7, _note(), ask)
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=5)
    assert stamps.time_of(7, _note()) == at
    stamps.stamp(12, _note(12), ask)
    assert stamps.newest() == 12
    assert list(stamps.check({7: _note(), 12: _note(12), 20: _note(20)})) == []
    (stamps.folder / "note").write_text(_note())
    files = ["-in", f"{stamps.folder}/7.tsr", "-data", f"{stamps.folder}/note"]
    openssl("ts", "-verify", *files, "-CAfile", f"{authority}/root.pem")


def test_what_does_not_hold_is_found(
    stamps: TimeStamps, ask: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Another note, a lost checkpoint, a changed answer, a root nobody believes."""
    stamps.stamp(7, _note(), ask)
    assert [each.where for each in stamps.check({7: _note(8)})] == ["time-stamp 7"]
    assert [each.detail for each in stamps.check({})] == ["its checkpoint is missing"]
    answer = stamps.folder / "7.tsr"
    sound = answer.read_bytes()
    for changed in (b"", b"no answer", sound[:-1] + bytes([sound[-1] ^ 1]), sound[:200]):
        answer.write_bytes(changed)
        assert len(list(stamps.check({7: _note()}))) == 1
        with pytest.raises(DamagedRecord):
            stamps.time_of(7, _note())
    answer.write_bytes(sound)
    stranger = tmp_path / "stranger.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{tmp_path}/key", "-subj", "/CN=x",
             "-out", str(stranger))  # fmt: skip
    assert len(list(TimeStamps(stamps.folder, stranger).check({7: _note()}))) == 1


def test_answer_that_does_not_hold_is_not_kept(stamps: TimeStamps, ask: Callable[[bytes], bytes]) -> None:
    """Nonsense, the answer to another question, and a repeated answer of yesterday."""
    kept = ask_of(stamps, ask)
    for answer in (b"", b"nonsense", kept):
        with pytest.raises(TimeStampRefused, match="not kept"):
            stamps.stamp(9, _note(9), lambda _query, answer=answer: answer)
    with pytest.raises(TimeStampRefused, match="not kept"):
        stamps.stamp(7, _note(), lambda _query: kept)
    assert stamps.newest() == 7


def ask_of(stamps: TimeStamps, ask: Callable[[bytes], bytes]) -> bytes:
    """The kept answer for the checkpoint of seven rows."""
    stamps.stamp(7, _note(), ask)
    return (stamps.folder / "7.tsr").read_bytes()


def test_authority_is_asked_over_http(stamps: TimeStamps, authority: Path) -> None:
    """One that fails or is not there is a refusal, never a time-stamp."""
    with serving_authority(authority) as address:
        stamps.stamp(7, _note(), lambda query: post(address, query))
        assert list(stamps.check({7: _note()})) == []
        for wrong in (f"{address}broken", "http://127.0.0.1:9/"):
            with pytest.raises(TimeStampRefused, match="did not answer"):
                post(wrong, b"query")
