"""Which pictures a benchmark reads: a manifest in CSV, or folders in the layout of the FVC competitions."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from matcher.errors import FingerprintError

MANIFEST_COLUMNS = ("set", "path", "subject", "position", "impression", "ppi")
_FVC_NAME = re.compile(r"^(\d+)_(\d+)\.(tif|tiff|png|bmp)$", re.IGNORECASE)


class UnusableDataset(FingerprintError):  # noqa: N818 - named for what it is, as the whole tree
    """The manifest or folder cannot be benchmarked; the message says why."""

    code = "unusable_dataset"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of one finger; `subject` and `position` together say which finger."""

    set_name: str
    path: Path
    subject: str
    position: int
    impression: str
    ppi: int | None

    @property
    def finger(self) -> tuple[str, int]:
        """Equal for mated pictures, different for non-mated ones."""
        return (self.subject, self.position)

    @property
    def label(self) -> str:
        """Short name in `scores.csv`."""
        return self.path.stem


def read_manifest(path: Path) -> list[Picture]:
    """Read a manifest with the columns `set,path,subject,position,impression,ppi`.

    Paths are relative to the manifest. An empty ppi means: from the file. Raises `UnusableDataset`.
    """
    if not path.is_file():
        raise UnusableDataset(f"there is no manifest at {path}")
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in MANIFEST_COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise UnusableDataset(f"{path} lacks the column(s) {', '.join(missing)}")
        pictures = [_picture(path, number, row) for number, row in enumerate(reader, start=2)]
    if not pictures:
        raise UnusableDataset(f"{path} lists no pictures")
    return pictures


def _picture(manifest: Path, line: int, row: Mapping[str, str]) -> Picture:
    try:
        position = int(row["position"] or 0)
        ppi = int(row["ppi"]) if row["ppi"] else None
    except ValueError as error:
        raise UnusableDataset(f"{manifest}, line {line}: position and ppi must be whole numbers") from error
    picture = manifest.parent / row["path"]
    if not picture.is_file():
        raise UnusableDataset(f"{manifest}, line {line}: there is no file {picture}")
    return Picture(row["set"], picture, row["subject"], position, row["impression"], ppi)


def read_fvc(root: Path, *, ppi: int = 500, ppi_of: Mapping[str, int] | None = None) -> list[Picture]:
    """Read folders `db1_b` … of files `FINGER_IMPRESSION.tif`; `root` may also be one such folder.

    The resolution tag in FVC files is a dummy, so ppi is an argument; `ppi_of` overrides it per folder.
    """
    overrides = dict(ppi_of or {})
    folders = [root] if _is_fvc_folder(root) else sorted(p for p in _folders(root) if _is_fvc_folder(p))
    if not folders:
        raise UnusableDataset(f"{root} has no folder with files named FINGER_IMPRESSION.tif")
    unknown = overrides.keys() - {folder.name for folder in folders}
    if unknown:
        raise UnusableDataset(f"--ppi names {', '.join(sorted(unknown))}, which is no folder of {root}")
    return [
        picture for folder in folders for picture in _fvc_pictures(folder, overrides.get(folder.name, ppi))
    ]


def _folders(root: Path) -> Iterable[Path]:
    return (path for path in root.iterdir() if path.is_dir()) if root.is_dir() else ()


def _is_fvc_folder(folder: Path) -> bool:
    return folder.is_dir() and any(_FVC_NAME.match(path.name) for path in folder.iterdir())


def _fvc_pictures(folder: Path, ppi: int) -> list[Picture]:
    matches = [(path, match) for path in folder.iterdir() if (match := _FVC_NAME.match(path.name))]
    ordered = sorted(matches, key=lambda item: (int(item[1][1]), int(item[1][2])))
    return [Picture(folder.name, path, match[1], 0, match[2], ppi) for path, match in ordered]
