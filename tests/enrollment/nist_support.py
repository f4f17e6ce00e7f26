"""One transaction that the tests of the codec share, and where the reference files lie."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from enrollment.formats.nist_itl import BinaryRecord, Transaction
from enrollment.formats.nist_records import FingerImage, Heading, type_1, type_2, type_14
from matcher.codes import FingerPosition, ImpressionType

REFERENCE_FILES = Path(__file__).parents[2].parent / "shared" / "data" / "itl"
real_files = sorted(REFERENCE_FILES.glob("*")) if REFERENCE_FILES.is_dir() else []
HEADING = Heading(
    transaction_type="EUDS",
    destination="EUD/SIMULATED",
    origin="BE/SIMULATED",
    control_number="BE1000000000101",
    at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    domain=("BE-EUD-STYLE", "1"),
)
PRINT = FingerImage(
    idc=1,
    position=FingerPosition.RIGHT_INDEX,
    impression=ImpressionType.LIVE_ROLLED,
    width_px=388,
    height_px=374,
    ppi=500,
    compression="WSQ20",
    data=bytes(range(256)) * 5,  # every separator byte is in it
)


def transaction(*, names: str = "DUPONT\x1fZoé") -> Transaction:
    """A file of one person: Type-1, Type-2, a Type-14 and a Type-4."""
    type_4 = BinaryRecord(4, 2, bytes([0, 7, 255, 255, 255, 255, 255, 0, 1, 0, 1, 44, 1]) + b"\x1c\x1dwsq")
    image = type_14(PRINT, source="BE/SIMULATED", captured_on=date(2026, 11, 23))
    return Transaction(type_1(HEADING), (type_2(((30, names),)), image, type_4))
