"""The 1:1 page: two prints in, a calibrated score and its explanation out.

`score_of` and `compare` share one path, `_weigh`: similar neighbourhoods propose pairs, consistent pairs
propose motions, each motion is refitted, unbent and judged, and the best one gives the raw score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.alignment import Motion, fit_motion, inverse, moved, pair_within, settle, unbend, unmoved
from matcher.compiled import kernel
from matcher.evidence import Cells, ridge_factor, share_of_pairs, worth_of_pairs
from matcher.pairing import Floats, Pairs, compatibilities, next_seed, relax, similarities, strongest_pairs
from matcher.parameters import CONVINCING, NARROW_PX, SEEDS, SUPPORT_NEEDED
from matcher.prepared import NO_CELLS, Arrays, PreparedTemplate, pack, prepare, unpacked
from matcher.scoring import Score, calibrate, calibrate_many

__all__ = ["Comparison", "PreparedTemplate", "compare", "prepare", "score_many", "score_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One comparison, with what an examiner needs to see why.

    score:    −10·log10(FMR), calibrated.
    raw:      worth · share · ridges, before calibration.
    pairs:    int16[k, 2], corresponding minutiae as (row of the probe's template, row of the reference's).
    motion:   (cos, sin, dx, dy): turns the probe counter-clockwise and shifts it onto the reference, y up.
    worth:    sum over the pairs of nearness and similarity of neighbourhoods.
    share:    share of the minutiae in the common region that are paired, 0-1.
    ridges:   factor from the agreement of the ridge orientations, 0-1.1; 1 where a print has no field.
    """

    score: Score
    raw: float
    pairs: NDArray[np.int16]
    motion: tuple[float, float, float, float]
    worth: float
    share: float
    ridges: float


def score_of(probe: PreparedTemplate, reference: PreparedTemplate) -> Score:
    """Score alone, the fast path: the same number as `compare` gives."""
    first, second = _ranked(probe, reference)
    fielded = probe.has_field and reference.has_field
    return calibrate(_raw(*_arrays(first, fielded), *_arrays(second, fielded)), with_field=fielded)


def compare(probe: PreparedTemplate, reference: PreparedTemplate) -> Comparison:
    """Compare two prints; the score does not depend on which is the probe."""
    first, second = _ranked(probe, reference)
    fielded = probe.has_field and reference.has_field
    pairs, motion, features = _weigh(*_arrays(first, fielded), *_arrays(second, fielded))
    found = np.stack([first.order[pairs[:, 0]], second.order[pairs[:, 1]]], axis=1)
    swapped = first is not probe
    cos, sin, dx, dy = inverse(motion) if swapped else motion
    worth, share, ridges = (float(feature) for feature in features)
    return Comparison(
        score=calibrate(worth * share * ridges, with_field=fielded),
        raw=worth * share * ridges,
        pairs=np.ascontiguousarray(found[:, ::-1] if swapped else found),
        motion=(float(cos), float(sin), float(dx), float(dy)),
        worth=worth,
        share=share,
        ridges=ridges,
    )


def score_many(probe: PreparedTemplate, references: Sequence[PreparedTemplate]) -> NDArray[np.float32]:
    """Scores of one probe against many references, float32[k], in one call without the GIL."""
    packed = pack(references)
    fielded = packed.has_field & probe.has_field
    ranked = np.array([probe.key <= reference.key for reference in references], np.bool_)
    raws = np.empty(len(references), np.float64)
    _raw_many(_arrays(probe, fielded=True), packed.arrays, packed.bounds, fielded, ranked, raws)
    return calibrate_many(raws, with_field=fielded)


def _ranked(
    probe: PreparedTemplate, reference: PreparedTemplate
) -> tuple[PreparedTemplate, PreparedTemplate]:
    """The two in an order that does not depend on their roles: the smaller print first."""
    return (probe, reference) if probe.key <= reference.key else (reference, probe)


def _arrays(prepared: PreparedTemplate, fielded: bool) -> Arrays:  # noqa: FBT001 - as the kernels take it
    """What the kernels take of one print; its field only when both prints have one."""
    cells = prepared.cells if fielded else NO_CELLS
    return prepared.minutiae, prepared.descriptors, cells, prepared.hull


@kernel
def _weigh(
    probe: Floats,
    probe_descriptors: Floats,
    probe_cells: Cells,
    probe_hull: Floats,
    reference: Floats,
    reference_descriptors: Floats,
    reference_cells: Cells,
    reference_hull: Floats,
) -> tuple[Pairs, Motion, NDArray[np.float64]]:
    """Best pairs, their motion, and the features [worth, share, ridges] whose product is the raw score."""
    table = similarities(probe_descriptors, reference_descriptors)
    candidates = strongest_pairs(table)
    compatible = compatibilities(probe, reference, candidates)
    belief = relax(table, candidates, compatible)

    taken, support = np.zeros_like(belief), np.zeros_like(belief)
    best_pairs, best_motion, features = candidates[:0], unmoved(), np.zeros(3)
    for _ in range(SEEDS):
        if next_seed(belief, compatible, taken, support) < SUPPORT_NEEDED:
            break
        rough = fit_motion(probe, reference, candidates, support)
        motion, pairs = settle(probe, reference, table, rough)
        laid = unbend(moved(probe, motion), reference, pairs)
        pairs = pair_within(laid, reference, NARROW_PX)
        worth = worth_of_pairs(laid, reference, pairs, table)
        share = share_of_pairs(probe, reference, pairs, motion, probe_hull, reference_hull)
        if worth * share > features[0] * features[1]:
            best_pairs, best_motion = pairs, motion
            features[0], features[1] = worth, share
        if worth * share > CONVINCING:
            break
    features[2] = ridge_factor(probe_cells, reference_cells, best_motion)
    return best_pairs, best_motion, features


@kernel
def _raw(
    probe: Floats,
    probe_descriptors: Floats,
    probe_cells: Cells,
    probe_hull: Floats,
    reference: Floats,
    reference_descriptors: Floats,
    reference_cells: Cells,
    reference_hull: Floats,
) -> float:
    """The raw score alone."""
    _, _, features = _weigh(
        probe,
        probe_descriptors,
        probe_cells,
        probe_hull,
        reference,
        reference_descriptors,
        reference_cells,
        reference_hull,
    )
    return float(features[0] * features[1] * features[2])


@kernel
def _raw_many(
    probe: Arrays,
    packed: tuple[Floats, Floats, Cells, Floats],
    bounds: NDArray[np.int64],
    fielded: NDArray[np.bool_],
    ranked: NDArray[np.bool_],
    raws: NDArray[np.float64],
) -> None:
    """Fill `raws` float64[k] with the raw scores of one print against `k` packed ones."""
    minutiae, descriptors, own_cells, hull = probe
    for k in range(len(raws)):
        other_minutiae, other_descriptors, other_cells, other_hull = unpacked(packed, bounds, k)
        cells = own_cells
        if not fielded[k]:
            cells, other_cells = cells[:, :0].copy(), other_cells[:, :0].copy()
        if ranked[k]:
            raws[k] = _raw(
                minutiae,
                descriptors,
                cells,
                hull,
                other_minutiae,
                other_descriptors,
                other_cells,
                other_hull,
            )
        else:
            raws[k] = _raw(
                other_minutiae,
                other_descriptors,
                other_cells,
                other_hull,
                minutiae,
                descriptors,
                cells,
                hull,
            )
