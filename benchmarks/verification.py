"""1:1 accuracy and speed, in two loops: first every pair is scored, then the scores are evaluated.

Mated: all pairs of pictures of one finger. Non-mated `all`: all pairs of different fingers of a set;
`first`: only the first pictures of the fingers. Pairs never cross sets.
"""

from __future__ import annotations

import csv
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.datasets import Picture
from benchmarks.engines import Engine, Reader
from enrollment.errors import MalformedImage

#: Called with (stage, done, total) for a progress bar.
Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Pair:
    """One comparison, by row numbers into the list of pictures."""

    probe: int
    reference: int
    mated: bool
    first: bool


@dataclass(slots=True)
class Run:
    """Scores and times of one engine; the pictures and pairs are the same for all engines of a run."""

    engine: str
    pictures: Sequence[Picture]
    pairs: Sequence[Pair]
    scores: list[float] = field(default_factory=list)
    extract_ms: list[float | None] = field(default_factory=list)
    compare_us: list[float | None] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def pairs_of(pictures: Sequence[Picture]) -> Iterator[Pair]:
    """All pairs within each set, in the order of the list."""
    firsts = _first_rows(pictures)
    by_set: dict[str, list[int]] = {}
    for row, picture in enumerate(pictures):
        by_set.setdefault(picture.set_name, []).append(row)
    for rows in by_set.values():
        for probe, reference in itertools.combinations(rows, 2):
            mated = pictures[probe].finger == pictures[reference].finger
            yield Pair(probe, reference, mated, not mated and probe in firsts and reference in firsts)


def _first_rows(pictures: Sequence[Picture]) -> set[int]:
    seen: dict[tuple[str, tuple[str, int]], int] = {}
    for row, picture in enumerate(pictures):
        seen.setdefault((picture.set_name, picture.finger), row)
    return set(seen.values())


def score_all(engine: Engine, pictures: Sequence[Picture], reader: Reader, progress: Progress) -> Run:
    """Loop 1: extract every picture once, compare every pair once, one thread, each step timed."""
    run = Run(engine.name, pictures, list(pairs_of(pictures)))
    templates = _extract_all(engine, run, reader, progress)
    for number, pair in enumerate(run.pairs):
        probe, reference = templates[pair.probe], templates[pair.reference]
        if probe is None or reference is None:
            run.scores.append(0.0)
            run.compare_us.append(None)
        else:
            begun = time.perf_counter_ns()
            score = engine.compare(probe, reference)
            run.compare_us.append((time.perf_counter_ns() - begun) / 1e3)
            run.scores.append(score)
        if number % 200 == 0 or number + 1 == len(run.pairs):
            progress(f"{engine.name}: comparing", number + 1, len(run.pairs))
    return run


def _extract_all(engine: Engine, run: Run, reader: Reader, progress: Progress) -> list[Any | None]:
    templates: list[Any | None] = []
    for row, picture in enumerate(run.pictures):
        template, elapsed = None, None
        try:
            image = reader.read(picture.path, picture.ppi)
        except MalformedImage as error:
            run.failures[str(picture.path)] = str(error)
        else:
            if row == 0:
                _warm_up(engine, image)
            begun = time.perf_counter_ns()
            template = engine.extract(image)
            elapsed = (time.perf_counter_ns() - begun) / 1e6
            if template is None:
                run.failures[str(picture.path)] = "failure to acquire"
        templates.append(template)
        run.extract_ms.append(elapsed)
        progress(f"{engine.name}: extracting", row + 1, len(run.pictures))
    return templates


def _warm_up(engine: Engine, image: Any) -> None:
    """Keep the compiler out of the figures."""
    template = engine.extract(image)
    if template is not None:
        engine.compare(template, template)


def write_scores(run: Run, path: Path) -> None:
    """Write `scores.csv`: set, probe, reference, mated (1 or 0), score."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["set", "probe", "reference", "mated", "score"])
        for pair, score in zip(run.pairs, run.scores, strict=True):
            probe, reference = run.pictures[pair.probe], run.pictures[pair.reference]
            writer.writerow([probe.set_name, probe.label, reference.label, int(pair.mated), f"{score:.4f}"])


def median(values: Sequence[float | None]) -> float | None:
    """Median of the values that were measured; None when none was."""
    measured = [value for value in values if value is not None]
    return float(np.median(measured)) if measured else None
