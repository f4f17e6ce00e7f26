"""One encounter as one ANSI/NIST-ITL file, and a batch of them as a Parquet manifest.

Images leave as WSQ. What came as WSQ or JPEG 2000 passes untouched, because a print is never compressed
twice; anything else is decoded in the sandbox, brought to 500 ppi and compressed once. The same encounter in
the same batch gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection

from enrollment.encounter import Encounter, StoredImage
from enrollment.errors import UndecodableImage
from enrollment.formats.nist_itl import Transaction, encode
from enrollment.formats.nist_records import FingerImage, Heading, type_1, type_2, type_14
from enrollment.image import normalise
from enrollment.image_header import ImageFormat, inspect_header
from enrollment.records import Records
from enrollment.sandbox import DecoderSandbox, RawLayout
from enrollment.slaps import not_shown
from matcher.codes import FingerPosition
from workflow.eurodac_profile import LABEL, PROFILE, PROFILE_NAME, PROFILE_VERSION, Profile
from workflow.eurodac_queue import Batch, QueueEntry
from workflow.eurodac_tags import Dataset, type_2_fields

#: First bytes of a JP2 file; a bare codestream has none, and no code of its own in 14.011 (CGA).
_JP2 = b"\x00\x00\x00\x0cjP  "
_ATTEMPT = "01"


@dataclass(frozen=True, slots=True)
class ImageNote:
    """What the manifest says of one image. encoding: "original" or "compressed here"."""

    position: int
    compression: str
    encoding: str


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A finished file. sha256: lower-case hex of `data`."""

    entry: QueueEntry
    name: str
    data: bytes
    images: tuple[ImageNote, ...]

    @property
    def sha256(self) -> str:
        """The digest the manifest and the queue keep."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What remains of an `ExportFile` once it is on disk."""

    entry: QueueEntry
    name: str
    size_bytes: int
    sha256: str
    images: tuple[ImageNote, ...]


def transaction_of(
    tx: Connection,
    records: Records,
    sandbox: DecoderSandbox,
    profile: Profile,
    batch: Batch,
    entry: QueueEntry,
) -> ExportFile:
    """The file of one queued encounter: Type-1, Type-2, a Type-14 for each image, in order of position."""
    encounter = records.get(tx, entry.encounter_id)
    if not encounter.images:
        raise UndecodableImage("the encounter has no image, only templates: there is nothing to send")
    described = [image for _, image in sorted(encounter.images.items())]
    prints, notes = zip(
        *(
            _print(idc, encounter, image, records.image(tx, encounter.encounter_id, image.position), sandbox)
            for idc, image in enumerate(described, start=1)
        ),
        strict=True,
    )
    data = encode(_assemble(encounter, prints, profile, batch, entry))
    return ExportFile(entry, f"{entry.reference_number}.an2", data, notes)


def manifest(batch: Batch, rows: Sequence[ManifestRow]) -> bytes:
    """A Parquet table with a row per file; its metadata say what the batch is and what it is not."""
    ordered = sorted(rows, key=lambda row: row.entry.sequence)
    columns = {
        "file_name": pa.array([row.name for row in ordered], pa.string()),
        "sha256": pa.array([row.sha256 for row in ordered], pa.string()),
        "size_bytes": pa.array([row.size_bytes for row in ordered], pa.int64()),
        "reference_number": pa.array([row.entry.reference_number for row in ordered], pa.string()),
        "category": pa.array([row.entry.category for row in ordered], pa.string()),
        "queued_at": pa.array([row.entry.queued_at for row in ordered], pa.timestamp("us", "UTC")),
        "image_count": pa.array([len(row.images) for row in ordered], pa.int32()),
        "positions": pa.array(
            [[note.position for note in row.images] for row in ordered], pa.list_(pa.int8())
        ),
        "compressions": pa.array(
            [[note.compression for note in row.images] for row in ordered], pa.list_(pa.string())
        ),
        "encodings": pa.array(
            [[note.encoding for note in row.images] for row in ordered], pa.list_(pa.string())
        ),
    }
    about = {
        "profile": PROFILE,
        "label": LABEL,
        "batch": batch.name,
        "created_at": batch.created_at.isoformat(),
        "file_count": str(len(ordered)),
    }
    table = pa.table(columns).replace_schema_metadata(about)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _assemble(
    encounter: Encounter,
    prints: Sequence[FingerImage],
    profile: Profile,
    batch: Batch,
    entry: QueueEntry,
) -> Transaction:
    heading = Heading(
        transaction_type=profile.transaction_type,
        destination=profile.destination,
        origin=profile.origin,
        control_number=entry.reference_number + _ATTEMPT,
        at=batch.created_at,
        domain=(PROFILE_NAME, PROFILE_VERSION),
    )
    dataset = Dataset(encounter, entry.reference_number, entry.category, batch.created_at.date(), profile)
    captured_on = encounter.captured_at.date()
    images = (type_14(each, source=profile.source, captured_on=captured_on) for each in prints)
    return Transaction(type_1(heading), (type_2(type_2_fields(dataset)), *images))


def _print(
    idc: int, encounter: Encounter, image: StoredImage, data: bytes, sandbox: DecoderSandbox
) -> tuple[FingerImage, ImageNote]:
    """An image record with the bytes as received where they may pass, else compressed once."""
    compression = _passes(image, data)
    width_px, height_px, ppi, encoding = image.width_px, image.height_px, image.ppi, "original"
    if compression is None:
        raw = RawLayout(image.width_px, image.height_px) if image.format == ImageFormat.RAW else None
        picture = normalise(sandbox.decode(data, container_ppi=image.ppi, raw=raw))
        data, compression, encoding = sandbox.encode_wsq(picture), "WSQ20", "compressed here"
        height_px, width_px = picture.pixels.shape
        ppi = picture.ppi
    record = FingerImage(
        idc=idc,
        position=FingerPosition(image.position),
        impression=image.impression,
        width_px=width_px,
        height_px=height_px,
        ppi=ppi,
        compression=compression,
        data=data,
        missing=not_shown(image.position, encounter.fingers.keys()),
    )
    return record, ImageNote(int(image.position), compression, encoding)


def _passes(image: StoredImage, data: bytes) -> str | None:
    """The 14.011 code under which the bytes pass untouched, if they do. Raw pixels have no header to read."""
    if image.format == ImageFormat.RAW:
        return None
    kind = inspect_header(data).format
    if kind is ImageFormat.WSQ:
        return "WSQ20"
    return "JP2" if kind is ImageFormat.JPEG2000 and data.startswith(_JP2) else None
