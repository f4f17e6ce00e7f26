"""Plots of `benchmarks.scale`: cumulative match, errors, and time against size with the floor under it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.strangers import FINGERS_USED


def write_plots(report: Mapping[str, Any], out: Path) -> list[str]:
    """Write cmc.png, det.png and latency.png, each where its part was measured; gives their names."""
    plots = (
        ("cmc.png", "searches", _cmc),
        ("det.png", "searches", _det),
        ("latency.png", "growth", _latency),
    )
    measured = [(name, draw) for name, part, draw in plots if report.get(part)]
    for name, draw in measured:
        _plot(out / name, partial(draw, report=report))
    return [name for name, _ in measured]


def _plot(path: Path, draw: Callable[[Any], None]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7.0, 5.0), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    draw(axes)
    axes.grid(visible=True, which="both", linewidth=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)
    figure.savefig(path)


def _cmc(axes: Any, report: Mapping[str, Any]) -> None:
    for entry in report["searches"]:
        ranks = range(1, len(entry["cmc"]) + 1)
        axes.step(ranks, entry["cmc"], where="post", label=_fingers(entry["fingers"]))
    axes.set(xscale="log", xlabel="rank", ylabel="share of mates at this rank or better")
    axes.set_title(f"{report['people']:,} people")


def _det(axes: Any, report: Mapping[str, Any]) -> None:
    for entry in report["searches"]:
        floor = 0.5 / entry["searches"]
        fpir, fnir = zip(*entry["det"], strict=True)
        axes.step(
            [max(each, floor) for each in fpir],
            [max(each, floor) for each in fnir],
            label=f"{_fingers(entry['fingers'])}, {entry['searches']} searches",
        )
    axes.set(xscale="log", yscale="log", xlabel="FPIR", ylabel=f"FNIR({report['people']:,}, 100, T)")


def _latency(axes: Any, report: Mapping[str, Any]) -> None:
    for count in dict.fromkeys(entry["fingers"] for entry in report["growth"]):
        own = [entry for entry in report["growth"] if entry["fingers"] == count]
        people = [entry["people"] for entry in own]
        (line,) = axes.plot(people, [entry["ms_p50"] for entry in own], marker="o", label=_fingers(count))
        scanned = len(FINGERS_USED[count]) * report["bytes_of_sketch"] / report["memory_bytes_per_s"]
        axes.plot(
            people, [1e3 * scanned * number for number in people], ":", color=line.get_color(), linewidth=0.9
        )
    axes.plot([], [], ":", color="0.4", label="reading the sketches from memory, one thread")
    axes.set(xscale="log", yscale="log", xlabel="people in the gallery", ylabel="search, ms (median)")


def _fingers(count: int) -> str:
    return f"{count} finger{'s' if count > 1 else ''}"
