"""`tenprint benchmark … --templates`: synthetic people of a folder, without pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from api.cli_common import out as standard_output
from api.cli_stages import StageProgress

if TYPE_CHECKING:
    from benchmarks.scale import Plan


def verification(path: Path, comparisons: int, out: Path) -> None:
    """Score mated and non-mated pairs 1:1; writes report.json."""
    from benchmarks import crowds  # noqa: PLC0415 - slow to import
    from fixtures.template_folder import TemplateFolder  # noqa: PLC0415

    folder = TemplateFolder.open(path)
    with StageProgress() as bars:
        report = crowds.report_of(*crowds.scores_of(folder, comparisons, bars.update))
    _write(report, out / "report.json")
    standard_output.print(
        f"{report['n_mated']} mated, mean score {_told(report['mated_mean'])}; "
        f"{report['n_nonmated']} non-mated, mean {_told(report['nonmated_mean'])}"
    )
    for rate in report["rates"]:
        standard_output.print(
            f"FMR {rate['fmr']:g}: threshold {rate['threshold']:.1f}, claims {rate['claimed_fmr']:.2g}; "
            f"FNMR {_told(rate['fnmr'], 4)}"
        )
    standard_output.print(f"Written: {out / 'report.json'}", markup=False)


def identification(path: Path, fingers: int, searches: int, out: Path) -> None:
    """Enrol capture 1 of everybody, seek capture 2 of some; writes identification.json."""
    from benchmarks import crowds  # noqa: PLC0415 - slow to import
    from benchmarks import identification as bench  # noqa: PLC0415
    from benchmarks.strangers import FINGERS_USED  # noqa: PLC0415
    from fixtures.template_folder import TemplateFolder  # noqa: PLC0415

    if fingers not in FINGERS_USED:
        raise typer.BadParameter("a probe has 1, 2, 4 or 10", param_hint="--fingers")
    folder = TemplateFolder.open(path)
    with StageProgress() as bars:
        found, costs = crowds.search_folder(folder, fingers, searches, bars.update)
    report = bench.report_of(found) | costs
    _write(report, out / "identification.json")
    rates = report["all"]
    standard_output.print(
        f"{costs['people']} people, {fingers} finger(s): rank-1 {100 * rates['rank_1']:.2f} % of "
        f"{rates['searches']} searches, p50 {rates['search_ms_p50']:.0f} ms, "
        f"p95 {rates['search_ms_p95']:.0f} ms; "
        f"{costs['add_fingers_per_s']:.0f} fingers added a second, {costs['bytes_per_finger']:.0f} bytes each"
    )
    standard_output.print(f"Written: {out / 'identification.json'}", markup=False)


def scale(plan: Plan, out: Path) -> None:
    """Synthetic people made here and now; writes identification.json and plots."""
    from benchmarks import scale as bench  # noqa: PLC0415 - slow to import
    from benchmarks.scale_plots import write_plots  # noqa: PLC0415

    with StageProgress() as bars:
        report = bench.measure(plan, out, bars.update)
    bench.write(report, out)
    plots = write_plots(report, out)
    standard_output.print(
        f"{report['prints']} prints, {report['bytes_per_finger']:.0f} bytes of memory each, "
        f"{report['resident_bytes_most'] / 2**30:.1f} GiB in all"
    )
    for entry in report.get("searches", []):
        _tell(entry)
    for count, rates in report.get("together", {}).items():
        clients = ", ".join(f"{each:.1f} with {n}" for n, each in rates.items())
        standard_output.print(f"{count} finger(s), searches a second by clients: {clients}")
    if adding := report.get("adding"):
        standard_output.print(
            f"{adding['fingers_per_s']:.0f} prints added a second; "
            f"{adding['found_at_once']} of {adding['sought_at_once']} found by the next search"
        )
    if restart := report.get("restart"):
        standard_output.print(
            f"checkpoint written in {restart['save_s']:.1f} s, start from it in {restart['load_s']:.1f} s"
        )
    standard_output.print(f"Written: {', '.join([str(out / 'identification.json'), *plots])}", markup=False)


def plan_of(people: int, fingers: str, searches: int, kept: Path, **more: Any) -> Plan:
    """What to measure, checked."""
    from benchmarks.scale import PARTS, Plan  # noqa: PLC0415 - slow to import
    from benchmarks.strangers import FINGERS_USED  # noqa: PLC0415

    counts = [int(each) for each in fingers.split(",") if each.strip().isdigit()]
    if not counts or not set(counts) <= set(FINGERS_USED):
        raise typer.BadParameter("a probe has 1, 2, 4 or 10", param_hint="--fingers")
    parts = more.pop("parts") or ",".join(PARTS)
    if not set(parts.split(",")) <= set(PARTS):
        raise typer.BadParameter(f"some of {', '.join(PARTS)}", param_hint="--parts")
    return Plan(people, counts, searches, kept, parts=parts.split(","), **more)


def _tell(entry: dict[str, Any]) -> None:
    """One line for what was found, one for what it took."""
    rates = "".join(
        f"; FNIR {100 * rate['fnir']:.2f} % (below {100 * rate['fnir_below']:.2f} %) at FPIR "
        f"{rate['fpir']:g}, threshold {rate['threshold']:.0f}"
        for rate in entry["rates"]
    )
    standard_output.print(
        f"{entry['fingers']} finger(s), {entry['searches']} searches: rank-1 {100 * entry['rank_1']:.2f} %"
        f"{rates}; the shortlist lost {entry['lost_by_shortlist']} of {entry['accepted']} accepted mates "
        f"(below {100 * entry['lost_share_below']:.2f} %)"
    )
    standard_output.print(
        f"  p50 {entry['ms_p50']:.0f}, p95 {entry['ms_p95']:.0f}, p99 {entry['ms_p99']:.0f} ms; "
        f"processor time {entry['processor_ms_p50']:.0f} ms"
    )


def _write(report: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _told(value: float | None, digits: int = 1) -> str:
    return "not known" if value is None else f"{value:.{digits}f}"
