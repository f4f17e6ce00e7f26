"""`tenprint benchmark storage`: what it costs to keep prints sealed, audited and durable."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli_common import out as standard_output
from api.cli_stages import StageProgress

#: The act of the report, and its words.
_ACTS = {
    "enrolment": "enrolment, all of it",
    "pictures": "  sealed, ten pictures synced",
    "transaction": "  transaction with audit row",
    "sealing": "encryption alone",
    "search": "search",
    "search_audited": "search with its audit row",
    "added_by_audit": "  added by the audit row",
    "extraction_and_search": "ten fingers extracted and sought",
    "desk": "the same, registered",
    "answered": "  from the search to the answer",
    "followed": "  then: the gallery follows",
    "answered_and_followed": "  both",
    "search_alone": "  its search, nothing stored",
    "search_beside_sealing": "  its search, sealing beside it",
    "added_by_storing": "  added by registering",
}


def storage(
    out: Annotated[Path, typer.Option(help="Folder for storage.json; made if it is not there.")],
    disk: Annotated[
        Path | None, typer.Option(help="Folder on the disk to measure. Default: that of temporary files.")
    ] = None,
    encounters: Annotated[int, typer.Option(min=10, help="Ten-prints with ten pictures each.")] = 200,
    visits: Annotated[int, typer.Option(min=5, help="Ten-prints extracted, sought and stored.")] = 60,
    rows: Annotated[int, typer.Option(min=100, help="Rows of the audit log to verify.")] = 20_000,
) -> None:
    """Measure durable enrolment, searches with and without the audit log, and the log's verification.

    Synthetic ten-prints with pictures of 120 kB, in a store that is deleted afterwards. Writes storage.json.

    Try:
        tenprint benchmark storage --disk /var/lib --out out/storage
    """
    from benchmarks import storage as bench  # noqa: PLC0415 - slow to import

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tenprint-storage-", dir=disk) as folder, StageProgress() as bars:
        sizes = {"encounters": encounters, "visits": visits, "rows": rows}
        report = bench.measure(Path(folder), **sizes, progress=bars.update)
    (out / "storage.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for act, words in _ACTS.items():
        standard_output.print(f"{words:36} {_told(report[act])}", markup=False)
    log = report["audit"]
    seconds = log["verify_us_a_row_wall"]
    standard_output.print(
        f"audit log: {log['rows']} rows verified, {log['findings']} findings, {seconds:.0f} µs a row "
        f"({log['verify_us_a_row_processor']:.0f} µs of processor time): a million in {seconds:.0f} s"
    )
    standard_output.print(f"Written: {out / 'storage.json'}")


def _told(act: dict[str, Any]) -> str:
    low, high = act["wall_ms_p50_ci95"]
    return (
        f"p50 {act['wall_ms_p50']:6.1f} ms ({low:.1f}-{high:.1f}), p95 {act['wall_ms_p95']:6.1f} ms, "
        f"processor {act['processor_ms_p50']:5.1f} ms, n {act['n']}"
    )
