"""Image files and transactions named on the command line: finding them, and whose they are."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.captures import Upload, parse_impression, parse_missing, parse_position
from api.cli_transactions import TRANSACTION_SUFFIXES, is_transaction, transaction_uploads
from api.errors import InvalidRequest
from enrollment.errors import ImageTooLarge
from matcher.codes import FingerPosition, ImpressionType

#: What a folder is searched for; a file named outright may be called anything.
SUFFIXES = frozenset({".png", ".bmp", ".tif", ".tiff", ".jp2", ".j2k", ".wsq"}) | TRANSACTION_SUFFIXES
MANIFEST_COLUMNS = ("path", "person", "position", "impression", "ppi", "capture", "missing")


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file and what is known of it before it is opened.

    ppi: None when neither option nor manifest says. capture: which visit of the person, as the manifest
    calls it; empty where it does not say. missing: fingers that a slap does not show.
    """

    path: Path
    person: str
    position: FingerPosition = FingerPosition.UNKNOWN
    impression: ImpressionType = ImpressionType.UNKNOWN
    ppi: int | None = None
    capture: str = ""
    missing: tuple[FingerPosition, ...] = ()

    def upload(self, max_bytes: int) -> Upload:
        """Read the bytes; a file over the limit is refused before it is read."""
        if self.path.stat().st_size > max_bytes:
            raise ImageTooLarge(f"The file is larger than {max_bytes} bytes.")
        data = self.path.read_bytes()
        return Upload(self.position, self.impression, data, self.ppi, missing=self.missing)

    def uploads(self, max_bytes: int) -> list[Upload]:
        """The same, and of an ANSI/NIST-ITL transaction each finger and slap."""
        return transaction_uploads(self.path) if is_transaction(self.path) else [self.upload(max_bytes)]


@dataclass(frozen=True, slots=True)
class Group:
    """Files that make one encounter: one person, each known finger at most once."""

    person: str
    files: tuple[ImageFile, ...]


def from_paths(paths: Sequence[Path], ppi: int | None) -> list[ImageFile]:
    """The files named, and all images below the folders named, in a stable order.

    A person's id is the file name up to the first `_` (or up to the suffix, where there is none).
    """
    return [
        ImageFile(path, path.stem.split("_", 1)[0], ppi=ppi) for each in paths for path in _files_below(each)
    ]


def from_manifest(manifest: Path, ppi: int | None) -> list[ImageFile]:
    """The rows of a CSV with the columns `MANIFEST_COLUMNS`; all but path and person may be empty.

    A relative path counts from the manifest's folder.
    """
    with manifest.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        missing = {"path", "person"} - set(rows.fieldnames or ())
        if missing:
            raise InvalidRequest(
                f"{manifest}: the column {', '.join(sorted(missing))} is missing. "
                f"Columns: {', '.join(MANIFEST_COLUMNS)}."
            )
        return [_manifest_row(manifest, number, row, ppi) for number, row in enumerate(rows, start=2)]


def grouped(files: Iterable[ImageFile]) -> list[Group]:
    """Known fingers of one capture of a person together; a file of unknown position is its own encounter.

    A second image of the same finger goes to the person's next encounter, in the order given.
    """
    groups: list[Group] = []
    rounds: dict[tuple[str, str, int], list[ImageFile]] = {}
    seen: dict[tuple[str, str, FingerPosition], int] = {}
    for file in files:
        if file.position is FingerPosition.UNKNOWN:
            groups.append(Group(file.person, (file,)))
            continue
        key = (file.person, file.capture, file.position)
        seen[key] = seen.get(key, 0) + 1
        rounds.setdefault((file.person, file.capture, seen[key]), []).append(file)
    groups += [Group(person, tuple(members)) for (person, _, _), members in rounds.items()]
    return groups


def content_id(person: str, uploads: Sequence[Upload]) -> str:
    """An encounter id that only this person with these images has: enrolling them again changes nothing."""
    digest = hashlib.sha256(person.encode())
    for upload in sorted(uploads, key=lambda each: each.position):
        digest.update(b"\0%d\0" % upload.position + hashlib.sha256(upload.data).digest())
    return f"c-{digest.hexdigest()[:32]}"


def _files_below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from (
        each for each in sorted(path.rglob("*")) if each.suffix.lower() in SUFFIXES and each.is_file()
    )


def _manifest_row(manifest: Path, number: int, row: Mapping[str, str | None], ppi: int | None) -> ImageFile:
    text = {name: (row.get(name) or "").strip() for name in MANIFEST_COLUMNS}
    where = f"{manifest}, line {number}"
    if not text["path"] or not text["person"]:
        raise InvalidRequest(f"{where}: path and person are needed.")
    if text["ppi"] and not (text["ppi"].isascii() and text["ppi"].isdecimal()):
        raise InvalidRequest(f"{where}: ppi is a whole number, for instance 500.")
    return ImageFile(
        path=manifest.parent / text["path"],
        person=text["person"],
        position=parse_position(text["position"] or "0"),
        impression=parse_impression(text["impression"] or ImpressionType.UNKNOWN.name),
        ppi=int(text["ppi"]) if text["ppi"] else ppi,
        capture=text["capture"],
        missing=parse_missing(text["missing"]),
    )
