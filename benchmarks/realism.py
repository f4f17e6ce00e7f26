"""`python -m benchmarks.realism`: how real synthetic captures are, in numbers and curves.

Compares a manifest of synthetic captures with one of real prints, set by set (columns as for `tenprint
benchmark verification`; different scanners belong to different sets). Only numbers and curves leave:
realism.json and realism.svg.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import engines
from benchmarks.datasets import Picture, read_manifest
from benchmarks.realism_classifier import control, pooled, unseen_scanner
from benchmarks.realism_measures import MEASURES, Measured, Progress, measure, summary_of
from benchmarks.realism_plots import write_plots
from benchmarks.verification import score_all
from matcher.codes import FINGERS

#: Fewest sets of real prints that leave some to learn from: one is left out, the control takes one more.
FEWEST_SETS: Final = 3


def compared(
    synthetic: Sequence[Picture],
    real: Sequence[Picture],
    peers: Sequence[engines.Engine],
    progress: Progress,
) -> tuple[dict[str, Any], Measured, Mapping[str, Measured]]:
    """The report, and what it was made from."""
    sets = _by_set(real)
    with engines.Reader() as reader:
        own = measure("synthetic", synthetic, reader, progress)
        others = {name: measure(name, pictures, reader, progress) for name, pictures in sets.items()}
        scores = {
            peer.name: _peer_scores(peer, {"synthetic": synthetic, **sets}, reader, progress)
            for peer in peers
        }
    report: dict[str, Any] = {
        "synthetic": own.summary(),
        "real": {name: measured.summary() for name, measured in others.items()},
        "peers": scores,
        "ratios": _ratios(own, others),
    }
    if len(others) >= FEWEST_SETS:
        textures = {name: measured.textures for name, measured in others.items()}
        report["classifier"] = {
            "unseen_scanner": unseen_scanner(own.textures, textures),
            "control": control(textures),
            "pooled": pooled(own.textures, textures),
        }
    return report, own, others


def one_finger(pictures: Sequence[Picture]) -> list[Picture]:
    """One finger of each person of a population, the ten positions in turn: many scanners, few pictures."""
    people = {subject: number for number, subject in enumerate(dict.fromkeys(p.subject for p in pictures))}
    return [p for p in pictures if p.position == people[p.subject] % len(FINGERS) + 1]


def _by_set(pictures: Sequence[Picture]) -> dict[str, list[Picture]]:
    sets: dict[str, list[Picture]] = {}
    for picture in pictures:
        sets.setdefault(picture.set_name, []).append(picture)
    return sets


def _peer_scores(
    peer: engines.Engine,
    sets: Mapping[str, Sequence[Picture]],
    reader: engines.Reader,
    progress: Progress,
) -> dict[str, Any]:
    entries = {}
    for name, pictures in sets.items():
        run = score_all(peer, pictures, reader, progress)
        scores = np.array(run.scores)
        mated = np.array([pair.mated for pair in run.pairs], dtype=bool)
        entries[name] = summary_of(scores[mated], scores[~mated])
    return entries


def _ratios(own: Measured, others: Mapping[str, Measured]) -> dict[str, float]:
    """Synthetic over real, the real sets weighing the same: medians of the measures, means of the scores."""
    ratios = {
        name: float(np.nanmedian(own.values[name]))
        / float(np.mean([np.nanmedian(measured.values[name]) for measured in others.values()]))
        for name in MEASURES
    }
    for kind in ("mated", "non_mated"):
        real = float(np.mean([getattr(measured, kind).mean() for measured in others.values()]))
        # A few non-mated pairs may all score 0.
        if real > 0.0:
            ratios[kind] = float(getattr(own, kind).mean()) / real
    return ratios


def show(stage: str, done: int, total: int) -> None:
    """Say each stage once, when it is done."""
    if done == total:
        print(f"{stage}: {total}", flush=True)


def main() -> None:
    """Read the arguments, compare, write."""
    parser = argparse.ArgumentParser(description="Compare synthetic captures with real prints.")
    parser.add_argument("--synthetic", type=Path, required=True, metavar="MANIFEST.csv")
    parser.add_argument("--real", type=Path, required=True, metavar="MANIFEST.csv")
    parser.add_argument("--one-finger", action="store_true", help="of each synthetic person, in turn")
    parser.add_argument("--peers", default="", help="also score by these peers, e.g. bozorth3")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    chosen = parser.parse_args()
    synthetic = read_manifest(chosen.synthetic)
    synthetic = one_finger(synthetic) if chosen.one_finger else synthetic
    report, own, others = compared(synthetic, read_manifest(chosen.real), engines.peers(chosen.peers), show)
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "realism.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    write_plots(own, others, chosen.out / "realism.svg")
    print(json.dumps({name: report.get(name) for name in ("ratios", "classifier")}, indent=2))
    print(f"Written: {chosen.out / 'realism.json'}, {chosen.out / 'realism.svg'}")


if __name__ == "__main__":
    main()
