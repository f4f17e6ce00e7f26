"""`python -m benchmarks.train_acceptance MANIFEST.csv`: what tells a print from a picture of something else.

Fits the numbers of `enrollment.acceptance.print_evidence`: logistic regression of "print" on sureness, crowd,
clearness and ridges. Prints: those of a manifest (columns as for `tenprint benchmark verification`) as they
are and made worse, and synthetic captures with and without defects. Something else: synthetic impostors but
palms, whose minutiae are as sure as a finger's, and photographs as they are and made worse. Every kind weighs
the same. Prints the weights (`enrollment/parameters.py` has them rounded) and where a print is as likely as
not, then of each kind how many the committed numbers take for prints, and how near the nearest come: the
least evidence is set by hand between them. Ten minutes for 640 prints on one core.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize

from benchmarks.datasets import read_manifest
from benchmarks.defect_captures import FITTED_SEED, cases
from benchmarks.harder_pictures import read
from benchmarks.impostors import impostors, photographs
from benchmarks.worse_pictures import Picture, Worse, blurred, dry, faint, noisy, unchanged, wet
from enrollment.acceptance import PrintMeasures, counted_minutiae, print_evidence, print_measures
from enrollment.capture import Capture, Defect, FingerprintImage
from enrollment.network import MinutiaeNetwork
from enrollment.parameters import LEAST_EXPECTED_MINUTIAE, LEAST_PRINT_EVIDENCE
from enrollment.pipeline import extract
from matcher.codes import FingerPosition, ImpressionType
from matcher.template import Template

Floats: TypeAlias = NDArray[np.float64]
#: Kind of picture, whether it shows a print, and the picture at 500 ppi.
Seen: TypeAlias = tuple[str, bool, Picture]

#: Seed of what befalls pictures made worse.
SEED: Final = 20_260_044
#: Synthetic fingers, and rounds of impostors, of the seed for fitting.
FINGERS: Final = 30
ROUNDS: Final = 40
#: What a picture of something else that is taken for a print costs, against a print that is refused.
COST: Final = 10.0
#: Pull of the weights towards 0.
SHRINKAGE: Final = 1e-3
#: Of photographs made worse, every so many-th.
EVERY: Final = 3
_WORSE: Final[tuple[Worse, ...]] = (dry, wet, faint, noisy, blurred)


def pictures(manifest: Path) -> Iterator[Seen]:
    """Everything that is learned from."""
    rng = np.random.default_rng(SEED)
    shown = [each.image.pixels for of_set in read(read_manifest(manifest)).values() for each in of_set]
    for way in (unchanged, *_WORSE):
        for pixels in track(shown, f"prints, {way.__name__}", transient=True):
            yield f"print, {way.__name__}", True, way(pixels, rng)
    for case in track(cases(FINGERS, FITTED_SEED), "synthetic captures", transient=True):
        # At half or twice the size it is no print that can be used.
        if case.defect is not Defect.WRONG_RESOLUTION:
            yield f"synthetic, {case.name}", True, case.pixels
    for kind, pixels in track(impostors(ROUNDS, FITTED_SEED), "impostors", transient=True):
        if kind != "palm":
            yield kind, False, pixels
    for _, pixels in track(photographs(), "photographs", transient=True):
        yield "photograph of something", False, pixels
    for way in _WORSE:
        for _, pixels in islice(photographs(), 0, None, EVERY):
            yield f"the same, {way.__name__}", False, way(pixels, rng)


def measured(pixels: Picture, network: MinutiaeNetwork) -> tuple[PrintMeasures, float] | None:
    """The measures of a picture and its minutiae to be expected; None where there are none or no template."""
    steps: dict[str, Any] = {}
    image = FingerprintImage(np.ascontiguousarray(pixels), 500)
    capture = Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, image)
    extract(capture, network, steps.__setitem__)
    template: Template | None = steps.get("template")
    if template is None or not len(template):
        return None
    measures = print_measures(template, steps["foreground"], steps["field"], steps["grey_bands"].ridges)
    return measures, counted_minutiae(template)


def fit(
    prints: Mapping[str, Sequence[PrintMeasures]], others: Mapping[str, Sequence[PrintMeasures]]
) -> Floats:
    """Weights of crowd, clearness and ridges against sureness, and the evidence that is even: float64[4]."""
    groups = [(kind, 1.0) for kind in prints.values()] + [(kind, -1.0) for kind in others.values()]
    rows = np.array([(m.sureness, m.crowd, m.clearness, m.ridges) for kind, _ in groups for m in kind])
    sign = np.concatenate([np.full(len(kind), side) for kind, side in groups])
    share = {1.0: 1.0 / len(prints), -1.0: COST / len(others)}
    weights = np.concatenate([np.full(len(kind), share[side] / len(kind)) for kind, side in groups])
    middle, scale = rows.mean(axis=0), rows.std(axis=0)
    scaled = np.c_[(rows - middle) / scale, np.ones(len(rows))]

    def loss(chosen: Floats) -> tuple[float, Floats]:
        logit = sign * (scaled @ chosen)
        pull = weights * sign / (1.0 + np.exp(np.clip(logit, -500.0, 500.0)))
        drawn = np.r_[chosen[:-1], 0.0]
        value = float(weights @ np.logaddexp(0.0, -logit)) + SHRINKAGE * float(drawn @ drawn)
        return value, 2.0 * SHRINKAGE * drawn - scaled.T @ pull

    found = minimize(loss, np.zeros(5), jac=True, method="L-BFGS-B").x
    slopes = found[:-1] / scale
    crowd, clearness, ridges = slopes[1:] / slopes[0]
    return np.array([crowd, -clearness, ridges, (middle @ slopes - found[-1]) / slopes[0]])


def report(name: str, kinds: Mapping[str, Sequence[PrintMeasures]], seen: Mapping[str, int]) -> None:
    """Print of each kind how many pictures there were, were judged, are prints, and the extremes."""
    print(f"{name:28} pictures  judged  prints   evidence, least and most")
    for kind, count in seen.items():
        evidence = sorted(print_evidence(measures) for measures in kinds.get(kind, ()))
        prints = sum(each >= LEAST_PRINT_EVIDENCE for each in evidence)
        ends = f"{evidence[0]:7.3f} {evidence[-1]:7.3f}" if evidence else ""
        print(f"  {kind:26} {count:8} {len(evidence):7} {prints:7}   {ends}")


def main() -> None:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(description="Fit what tells a print from a picture of something else.")
    parser.add_argument("manifest", type=Path)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    network = MinutiaeNetwork.load()
    judged: dict[bool, dict[str, list[PrintMeasures]]] = {True: defaultdict(list), False: defaultdict(list)}
    seen: dict[bool, dict[str, int]] = {True: defaultdict(int), False: defaultdict(int)}
    for kind, is_print, pixels in pictures(chosen.manifest):
        seen[is_print][kind] += 1
        found = measured(pixels, network)
        # A print of too few minutiae is refused for that, whatever it looks like.
        if found is not None and (found[1] >= LEAST_EXPECTED_MINUTIAE or not is_print):
            judged[is_print][kind].append(found[0])
    crowd, clearness, ridges, even = fit(judged[True], judged[False])
    print(f"fitted: crowd {crowd:.3f}, clearness {clearness:.3f}, ridges {ridges:.3f}, even {even:.3f}")
    report("prints", judged[True], seen[True])
    report("something else", judged[False], seen[False])


if __name__ == "__main__":
    main()
