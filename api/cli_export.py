"""`tenprint export`: encounters for other systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli_common import AsJson, Data, out, print_json, progress, remarks
from api.cli_user import operating_user
from api.settings import load_settings
from api.store import open_store
from enrollment.encounter import utc_now
from enrollment.sandbox import DecoderSandbox
from workflow.eurodac import Exporter, ExportReport, export
from workflow.eurodac_profile import Profile

app = typer.Typer(no_args_is_help=True, help="Write the waiting encounters for another system.")


@app.callback()
def _group() -> None:
    """Keep `eurodac` a word of its own: other systems follow."""


@app.command()
def eurodac(
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where batches go. Default: exports in the data folder."),
    ] = None,
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write one ANSI/NIST-ITL file per waiting encounter, and a Parquet manifest with their hashes.

    Try:
        tenprint enroll prints/ --ppi 500 --category 1
        tenprint export eurodac --out batches/

    EURODAC-style: the central system's interface document is not public, and these files do not claim to
    conform to it. Interrupted? Call it again: the same files, nobody sent twice.
    """
    settings = load_settings(data=data)
    with (
        open_store(settings) as store,
        DecoderSandbox(workers=1) as decoder,
        progress("exporting") as advance,
    ):
        exporter = Exporter(store.database, store.records, decoder, Profile())
        target = folder or settings.data / "exports"
        reports = []
        while (
            report := export(exporter, target, actor=operating_user(), now=utc_now, progress=advance)
        ).batch:
            reports.append(report)
    if as_json:
        print_json([_document(report) for report in reports])
        return
    for report in reports:
        out.print(f"{report.folder}: {len(report.files)} files and manifest.parquet", markup=False)
        for number, reason in report.failed:
            remarks.print(f"  set aside {number}: {reason}", markup=False)
    if not reports:
        remarks.print("Nothing waits for export. Encounters enrolled with a --category do.")


def _document(report: ExportReport) -> dict[str, object]:
    return {
        "batch": report.batch,
        "folder": str(report.folder),
        "files": list(report.files),
        "failed": [{"reference_number": number, "reason": reason} for number, reason in report.failed],
        "manifest_sha256": report.manifest_sha256,
    }
