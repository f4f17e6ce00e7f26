"""What can be measured on a picture and on pairs of pictures, whoever made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Picture
from benchmarks.engines import Reader
from benchmarks.metrics import equal_error_rate
from benchmarks.realism_classifier import Textures
from benchmarks.realism_texture import features_of, ridge_period_px
from enrollment.capture import Capture, FailureToAcquire
from enrollment.image import normalise
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from matcher.codes import FingerPosition, ImpressionType, MinutiaKind
from matcher.comparison import PreparedTemplate, prepare, raw_many
from matcher.template import CELL_PX, Template

Floats: TypeAlias = NDArray[np.float64]
Progress: TypeAlias = Callable[[str, int, int], None]

_CM_PX: Final = 500.0 / 2.54

#: Each measure of a picture, with its unit for a plot.
MEASURES: Final = {
    "minutiae": "minutiae in a capture",
    "endings": "share of endings",
    "probability": "network's probability, %",
    "period": "ridge period, px",
    "nearest": "nearest neighbour of a minutia, px",
    "area": "contact area, cm²",
}


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A set of pictures in numbers.

    values: float64[n] for each of `MEASURES`, nan where a capture has too few minutiae for it.
    mated, non_mated: our matcher's raw scores; a failure to acquire scores 0.
    """

    values: Mapping[str, Floats]
    textures: Textures
    mated: Floats
    non_mated: Floats
    failures: int

    def summary(self) -> dict[str, Any]:
        """Percentiles of the measures and means of the scores, for a report."""
        spread = {
            name: dict(zip(("p10", "p50", "p90", "mean"), _spread(values), strict=True))
            for name, values in self.values.items()
        }
        return {
            "pictures": len(self.textures.owners),
            "failures": self.failures,
            "measures": spread,
            "raw_scores": summary_of(self.mated, self.non_mated),
        }


def summary_of(mated: Floats, non_mated: Floats) -> dict[str, Any]:
    """Means of mated and non-mated scores, the tail of the latter, and the equal error rate."""
    return {
        "mated_mean": float(mated.mean()) if len(mated) else None,
        "non_mated_mean": float(non_mated.mean()) if len(non_mated) else None,
        "non_mated_p99": float(np.percentile(non_mated, 99)) if len(non_mated) else None,
        "eer_all": equal_error_rate(mated, non_mated) if len(mated) and len(non_mated) else None,
        "n_mated": len(mated),
        "n_non_mated": len(non_mated),
    }


def measure(name: str, pictures: Sequence[Picture], reader: Reader, progress: Progress) -> Measured:
    """Measure one set: every picture once, all pairs of it by our matcher."""
    network = MinutiaeNetwork.load(threads=1)
    rows, features, templates = [], [], []
    for number, picture in enumerate(pictures, start=1):
        image = normalise(reader.read(picture.path, picture.ppi))
        found = extract(Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, image), network)
        template = None if isinstance(found, FailureToAcquire) else found.template
        rows.append((*_of_minutiae(template), ridge_period_px(image.pixels)))
        features.append(features_of(image.pixels))
        templates.append(template)
        progress(f"{name}: measuring", number, len(pictures))
    values = np.array(rows)
    names = ("minutiae", "endings", "probability", "nearest", "area", "period")
    owners = _numbered([picture.subject for picture in pictures])
    mated, non_mated = _scores(_numbered([picture.finger for picture in pictures]), templates)
    return Measured(
        {measure: values[:, names.index(measure)] for measure in MEASURES},
        Textures(np.array(features), owners),
        mated,
        non_mated,
        sum(template is None for template in templates),
    )


def _of_minutiae(template: Template | None) -> tuple[float, float, float, float, float]:
    """Count, share of endings, mean probability in percent, median distance to the next one, area in cm²."""
    unknown = float("nan")
    if template is None or len(template) < 3:
        return float(0 if template is None else len(template)), unknown, unknown, unknown, unknown
    place = np.stack([template.x, template.y], axis=1).astype(np.float64)
    apart = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    cells = 0 if template.field is None else int(template.field.foreground.sum())
    return (
        float(len(template)),
        float((template.kind == MinutiaKind.ENDING).mean()),
        float(template.quality.mean()),
        float(np.median(apart.min(axis=1))),
        cells * (CELL_PX / _CM_PX) ** 2,
    )


def _scores(fingers: NDArray[np.intp], templates: Sequence[Template | None]) -> tuple[Floats, Floats]:
    """Raw scores of all pairs of one finger, and of all pairs of two."""
    prints: list[PreparedTemplate | None] = [None if t is None else prepare(t) for t in templates]
    scores: dict[bool, list[float]] = {True: [], False: []}
    for row, probe in enumerate(prints):
        later = range(row + 1, len(prints))
        known = [(k, other) for k in later if (other := prints[k]) is not None]
        raws = dict.fromkeys(later, 0.0)
        if probe is not None and known:
            found = raw_many(probe, [other for _, other in known])
            raws |= dict(zip([k for k, _ in known], found.tolist(), strict=True))
        for k, raw in raws.items():
            scores[bool(fingers[k] == fingers[row])].append(raw)
    return np.array(scores[True]), np.array(scores[False])


def _numbered(names: Sequence[object]) -> NDArray[np.intp]:
    """The same number for the same name."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.intp)


def _spread(values: Floats) -> list[float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return [float("nan")] * 4
    return [*(float(np.percentile(known, p)) for p in (10, 50, 90)), float(known.mean())]
