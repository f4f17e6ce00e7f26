"""`tenprint benchmark`: measures accuracy and speed on pictures you have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api import cli_crowds, cli_storage
from api.cli_common import out as standard_output
from api.cli_stages import StageProgress
from benchmarks.datasets import Picture, read_fvc, read_manifest

_TABLE_WIDTH = 150

app = typer.Typer(no_args_is_help=True, help="Measure accuracy and speed on pictures you have.")


def _ppi_options(values: list[str]) -> tuple[int, dict[str, int]]:
    """Split `--ppi 500 --ppi db2_b=569` into the general value and the overrides."""
    general, overrides = 500, {}
    for value in values:
        name, _, number = value.rpartition("=")
        if not number.isdigit():
            raise typer.BadParameter(f"--ppi takes a number or FOLDER=NUMBER, not {value!r}")
        if name:
            overrides[name] = int(number)
        else:
            general = int(number)
    return general, overrides


app.command()(cli_storage.storage)


@app.callback()
def benchmark() -> None:
    """Measure accuracy and speed on pictures you have."""


Out = Annotated[Path, typer.Option(help="Folder for the results; made if it is not there.")]
Manifest = Annotated[
    Path | None, typer.Option(help="CSV with the columns set,path,subject,position,impression,ppi.")
]
Fvc = Annotated[Path | None, typer.Option(help="Folder with db1_b … of files FINGER_IMPRESSION.tif.")]
Templates = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of `tenprint population templates`.")
]
PpiOfFolders = Annotated[
    list[str] | None,
    typer.Option("--ppi", help="With --fvc: ppi of all folders (500) or FOLDER=PPI."),
]


@app.command()
def verification(
    out: Out,
    manifest: Manifest = None,
    fvc: Fvc = None,
    templates: Templates = None,
    ppi: PpiOfFolders = None,
    peers: Annotated[
        str, typer.Option(help="Peers to run on the same pictures: afis, mcc, bozorth3, bozorth3-ours.")
    ] = "",
    comparisons: Annotated[int, typer.Option(min=1, help="With --templates: non-mated ones.")] = 1_000_000,
) -> None:
    """Compare all pairs of each set 1:1 and report EER, FNMR at fixed FMR, and speed on one core.

    Writes scores.csv, report.json and det.png; with --templates report.json alone.

    Example: tenprint benchmark verification --fvc fvc2002 --ppi db2_b=569 --out out/fvc2002
    """
    from benchmarks import engines, report  # noqa: PLC0415 - slow to import
    from benchmarks import verification as bench  # noqa: PLC0415

    if templates is not None:
        cli_crowds.verification(_only(templates, manifest, fvc), comparisons, out)
        return
    pictures = _pictures(manifest, fvc, ppi)
    chosen: list[engines.Engine] = [engines.Tenprint(), *engines.peers(peers)]
    out.mkdir(parents=True, exist_ok=True)
    with engines.Reader() as reader, StageProgress() as bars:
        runs = [bench.score_all(engine, pictures, reader, bars.update) for engine in chosen]
    reports = [report.report_of(run) for run in runs]
    for run in runs:
        bench.write_scores(run, out / ("scores.csv" if run is runs[0] else f"scores-{run.engine}.csv"))
    report.write_report(reports, out / "report.json")
    report.write_det(runs, out / "det.png")
    _print(reports, out)


@app.command()
def identification(
    out: Out,
    manifest: Manifest = None,
    fvc: Fvc = None,
    templates: Templates = None,
    ppi: PpiOfFolders = None,
    fingers: Annotated[
        str, typer.Option(help="Without pictures: fingers of a probe, any of 1,2,4,10; one with --templates.")
    ] = "10",
    searches: Annotated[int, typer.Option(min=1, help="Without pictures: how many.")] = 1000,
    people: Annotated[
        int, typer.Option(min=0, help="Synthetic people in the gallery, beside real prints if there are any.")
    ] = 2000,
    keep: Annotated[
        Path | None, typer.Option(help="Where synthetic prints are kept for another run; else in --out.")
    ] = None,
    pool: Annotated[
        int | None, typer.Option(min=1, help="Make so many people; put more together from their fingers.")
    ] = None,
    sealed: Annotated[
        bool, typer.Option(help="Keep prints sealed on disk, only sketches in memory.")
    ] = False,
    parts: Annotated[
        str | None, typer.Option(help="Only some of growth,searches,together,adding,restart.")
    ] = None,
) -> None:
    """Enrol one impression of each finger, search all others 1:N, and report ranks, FNIR and time.

    Sets never meet: a search leaves out the references of other sets. Without pictures, synthetic people
    alone, made on the way or read with --templates: capture 1 is enrolled, capture 2 sought; without either,
    the report has errors at FPIR 1e-2 and 1e-3, what the shortlist lost, times, searches a second, memory,
    and start time, with plots. Writes identification.json. An interrupted run goes on where it was.

    Try:
        tenprint benchmark identification --fvc fvc2002 --ppi db2_b=569 --people 2000 --out out/fvc2002
        tenprint benchmark identification --people 10000 --fingers 1,2,4,10 --out out/ten-thousand

    """
    from benchmarks import engines  # noqa: PLC0415 - slow to import
    from benchmarks import identification as bench  # noqa: PLC0415
    from enrollment.network import MinutiaeNetwork  # noqa: PLC0415

    if templates is not None:
        if not fingers.isdigit():
            raise typer.BadParameter("one number of fingers with --templates", param_hint="--fingers")
        cli_crowds.identification(_only(templates, manifest, fvc), int(fingers), searches, out)
        return
    if manifest is None and fvc is None:
        kept = keep or out / "prints"
        plan = cli_crowds.plan_of(
            max(people, 1), fingers, searches, kept, pool=pool, sealed=sealed, parts=parts
        )
        cli_crowds.scale(plan, out)
        return
    pictures = _pictures(manifest, fvc, ppi)
    out.mkdir(parents=True, exist_ok=True)
    with engines.Reader() as reader, StageProgress() as bars:
        found = bench.templates_of(pictures, MinutiaeNetwork.load(), reader, bars.update)
        report = bench.report_of(bench.search_pictures(pictures, found, people, bars.update))
    report["synthetic_people"] = people
    (out / "identification.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for name, entry in [*report["sets"].items(), ("all", report["all"])]:
        standard_output.print(
            f"{name}: rank-1 {100 * entry['rank_1']:.2f} % of {entry['searches']} searches, "
            f"p50 {entry['search_ms_p50']:.0f} ms, p95 {entry['search_ms_p95']:.0f} ms"
        )
    standard_output.print(f"Written: {out / 'identification.json'}")


def _only(templates: Path, manifest: Path | None, fvc: Path | None) -> Path:
    if manifest is not None or fvc is not None:
        raise typer.BadParameter("give one of --manifest, --fvc and --templates")
    return templates


def _pictures(manifest: Path | None, fvc: Path | None, ppi: list[str] | None) -> list[Picture]:
    if manifest is not None and fvc is None:
        return read_manifest(manifest)
    if fvc is not None and manifest is None:
        general, overrides = _ppi_options(ppi or [])
        return read_fvc(fvc, ppi=general, ppi_of=overrides)
    raise typer.BadParameter("give one of --manifest, --fvc and --templates")


def _print(reports: list[dict[str, Any]], out: Path) -> None:
    table = Table(title="1:1 verification (rates in %, speeds: medians on one core)")
    for heading in ("engine", "set", "EER all", "95 %", "FNMR@1e-2", "FNMR@1e-3", "zero FMR", "mated",
                    "non-mated", "failures", "extract ms", "compare µs"):  # fmt: skip
        table.add_column(heading, justify="left" if heading in {"engine", "set"} else "right", no_wrap=True)
    for report in reports:
        for name, entry in [*report["sets"].items(), ("macro", report["macro"])]:
            table.add_row(str(report["engine"]), name, *_cells(entry), end_section=name == "macro")
    # Cut figures are no figures: a narrow window wraps lines instead.
    Console(width=max(standard_output.width, _TABLE_WIDTH), soft_wrap=True).print(table)
    for report in reports:
        for entry in report["one_threshold"] if len(report["sets"]) > 1 else []:
            standard_output.print(
                f"{report['engine']}, one threshold ({entry['threshold']:.2f}) for {entry['sets']} sets at "
                f"FMR {entry['fmr']:.0e}: FNMR {100 * entry['fnmr']:.2f} % of {entry['mated']} mated; "
                f"{entry['nonmated_above']} of {entry['nonmated']} non-mated reach it"
            )
    standard_output.print(f"Written: {out / 'scores.csv'}, {out / 'report.json'}, {out / 'det.png'}")


def _cells(entry: dict[str, Any]) -> list[str]:
    def percent(rate: float | None) -> str:
        return "–" if rate is None else f"{100 * rate:.2f}"

    interval = entry.get("eer_all_ci95")
    return [
        percent(entry["eer_all"]),
        f"{100 * interval[0]:.2f}-{100 * interval[1]:.2f}" if interval else "",
        *(percent(entry[name]) for name in ("fnmr_fmr100", "fnmr_fmr1000", "fnmr_zero_fmr")),
        *(str(entry[name]) for name in ("n_mated", "n_nonmated", "failures")),
        *(
            "–" if entry[name] is None else f"{entry[name]:.0f}"
            for name in ("extract_ms_p50", "compare_us_p50")
        ),
    ]
