"""Loop 2: the scores of a run become rates per set and their macro mean, a table, and a DET plot."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics import bootstrap_eer, equal_error_rate, error_curve, fnmr_at, pooled_fnmr_at
from benchmarks.verification import Run, median

RATES = ("eer_first", "eer_all", "fnmr_fmr100", "fnmr_fmr1000", "fnmr_zero_fmr")
#: False match rates at which one threshold is laid over all sets.
POOLED_AT = (1e-2, 1e-3, 1e-4)
_SPEEDS = ("extract_ms_p50", "compare_us_p50")
#: Dashes of each engine's curves, in the order of the runs: ours first, solid.
_DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", "--", ":", "-.", (0, (8, 2, 1, 2, 1, 2)))


def report_of(run: Run) -> dict[str, Any]:
    """What a run showed.

    `sets`: one entry a set; `macro`: the unweighted mean of the rates over the sets, totals of counts;
    `one_threshold`: errors at a single threshold for all sets, an entry for each of `POOLED_AT`.
    """
    names = list(dict.fromkeys(picture.set_name for picture in run.pictures))
    sets = {name: _set_report(run, name) for name in names}
    macro: dict[str, Any] = {
        rate: _mean([entry[rate] for entry in sets.values() if entry[rate] is not None]) for rate in RATES
    }
    for count in ("n_mated", "n_nonmated", "n_nonmated_first", "failures"):
        macro[count] = sum(entry[count] for entry in sets.values())
    macro["extract_ms_p50"] = median(run.extract_ms)
    macro["compare_us_p50"] = median(run.compare_us)
    return {
        "engine": run.engine,
        "sets": sets,
        "macro": macro,
        "one_threshold": _one_threshold(run, names),
        "failed_pictures": run.failures,
    }


def _one_threshold(run: Run, names: Sequence[str]) -> list[dict[str, float]]:
    """A score means the same on every sensor, or it does not: one threshold over all sets shows it."""
    scores = np.array(run.scores)
    is_mated = np.array([pair.mated for pair in run.pairs], dtype=bool)
    in_sets = [np.array(_rows(run, name), dtype=np.intp) for name in names]
    sets = [(scores[rows[is_mated[rows]]], scores[rows[~is_mated[rows]]]) for rows in in_sets]
    sets = [(mated, nonmated) for mated, nonmated in sets if len(mated) and len(nonmated)]
    if not sets:
        return []
    counts = {
        "sets": len(sets),
        "mated": sum(len(mated) for mated, _ in sets),
        "nonmated": sum(len(nonmated) for _, nonmated in sets),
    }
    found = [(rate, pooled_fnmr_at(sets, rate)) for rate in POOLED_AT]
    return [
        {
            "fmr": rate,
            "threshold": pooled.threshold,
            "fnmr": pooled.fnmr,
            "nonmated_above": pooled.above,
            **counts,
        }
        for rate, pooled in found
    ]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _rows(run: Run, name: str) -> list[int]:
    return [row for row, pair in enumerate(run.pairs) if run.pictures[pair.probe].set_name == name]


def _set_report(run: Run, name: str) -> dict[str, Any]:
    rows = _rows(run, name)
    scores = np.array([run.scores[row] for row in rows])
    is_mated = np.array([run.pairs[row].mated for row in rows], dtype=bool)
    is_first = np.array([run.pairs[row].first for row in rows], dtype=bool)
    mated, nonmated, first = scores[is_mated], scores[~is_mated], scores[is_first]
    pictures = [row for row, picture in enumerate(run.pictures) if picture.set_name == name]
    entry: dict[str, Any] = dict.fromkeys(RATES)
    if len(mated) and len(nonmated):
        entry["eer_all"] = equal_error_rate(mated, nonmated)
        entry["eer_all_ci95"] = _interval(run, rows, scores, is_mated)
        entry["fnmr_fmr100"] = fnmr_at(mated, nonmated, 1e-2)
        entry["fnmr_fmr1000"] = fnmr_at(mated, nonmated, 1e-3)
        entry["fnmr_zero_fmr"] = fnmr_at(mated, nonmated, 0.0)
    if len(mated) and len(first):
        entry["eer_first"] = equal_error_rate(mated, first)
    entry |= {"n_mated": len(mated), "n_nonmated": len(nonmated), "n_nonmated_first": len(first)}
    entry["failures"] = sum(str(run.pictures[row].path) in run.failures for row in pictures)
    entry["extract_ms_p50"] = median([run.extract_ms[row] for row in pictures])
    entry["compare_us_p50"] = median([run.compare_us[row] for row in rows])
    entry["compare_us_p50_mated"] = median([run.compare_us[row] for row in rows if run.pairs[row].mated])
    entry["compare_us_p50_nonmated"] = median(
        [run.compare_us[row] for row in rows if not run.pairs[row].mated]
    )
    return entry


def _interval(
    run: Run, rows: Sequence[int], scores: NDArray[np.float64], is_mated: NDArray[np.bool_]
) -> list[float]:
    fingers: dict[tuple[str, int], int] = {}
    numbers = np.array(
        [
            [
                fingers.setdefault(run.pictures[row].finger, len(fingers))
                for row in (run.pairs[pair].probe, run.pairs[pair].reference)
            ]
            for pair in rows
        ],
        dtype=np.intp,
    )
    low, high = bootstrap_eer(scores[is_mated], numbers[is_mated, 0], scores[~is_mated], numbers[~is_mated])
    return [low, high]


def write_report(reports: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write `report.json`: our engine's `sets` and `macro` at the top, peers and ratios below it."""
    ours = dict(reports[0])
    ours["machine"] = {"processor": platform.machine(), "python": platform.python_version()}
    if len(reports) > 1:
        ours["peers"] = {str(peer["engine"]): dict(peer) for peer in reports[1:]}
        ours["ratios"] = {str(peer["engine"]): ratios(reports[0], peer) for peer in reports[1:]}
    path.write_text(json.dumps(ours, indent=2) + "\n", encoding="utf-8")


def ratios(ours: Mapping[str, Any], peer: Mapping[str, Any]) -> dict[str, float | None]:
    """Peer over ours, so that more than 1 is in our favour; None where ours is zero or unknown."""
    return {
        name: peer["macro"][name] / ours["macro"][name]
        if ours["macro"][name] and peer["macro"][name] is not None
        else None
        for name in (*RATES, *_SPEEDS)
    }


def write_det(runs: Sequence[Run], path: Path) -> None:
    """Draw FNMR against FMR, both logarithmic, as PNG: a colour for each set, dashes for each engine.

    Rates below half an error are drawn there, below the picture's edge where nothing was missed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9.5, 6.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for number, run in enumerate(runs):
        for index, name in enumerate(dict.fromkeys(picture.set_name for picture in run.pictures)):
            rows = _rows(run, name)
            scores = np.array([run.scores[row] for row in rows])
            is_mated = np.array([run.pairs[row].mated for row in rows], dtype=bool)
            curve = error_curve(scores[is_mated], scores[~is_mated])
            floor = 0.5 / max(len(rows), 1)
            missed = "" if curve.fnmr[curve.fmr == 0.0].min() > 0.0 else " (no error)"
            axes.step(
                np.maximum(curve.fmr, floor),
                np.maximum(curve.fnmr, floor),
                where="post",
                color=f"C{index}",
                linestyle=_DASHES[number % len(_DASHES)],
                label=f"{run.engine} {name}{missed}",
            )
    axes.plot([1e-5, 1], [1e-5, 1], color="0.7", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlim=(1e-4, 1), ylim=(1e-3, 1), xlabel="FMR", ylabel="FNMR")
    axes.set_title("1:1 verification, all pairs within each set")
    axes.grid(visible=True, which="both", linewidth=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=3.5)
    figure.savefig(path)
