"""The 1:1 page: two prints in, a calibrated score and its explanation out.

`score_of` and `compare` share one path, `_weigh`: similar neighbourhoods propose pairs, consistent pairs
propose motions, each motion is refitted, unbent and judged, and where the best one leaves doubt, its
distortion is followed further out; what it comes to is the raw score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.alignment import (
    Motion,
    Starts,
    fit_motion,
    inverse,
    moved,
    pair_within,
    settle,
    strip_starts,
    unmoved,
)
from matcher.compiled import kernel
from matcher.distortion import stretch, unbend
from matcher.evidence import common_weights, ridge_factor, share_of_pairs, worth_of_pairs
from matcher.measures import (
    COUNT,
    Measures,
    contributions,
    measure_pairs,
    measure_region,
    measure_strain,
    trust,
    trust_table,
)
from matcher.pairing import Floats, Pairs, compatibilities, next_seed, relax, similarities, strongest_pairs
from matcher.parameters import (
    CONVINCING,
    DOUBTFUL_FROM,
    FOLLOWED_PX,
    NARROW_PX,
    SEEDS,
    STRETCHED_PX,
    SUPPORT_A_MINUTIA,
    SUPPORT_NEEDED,
)
from matcher.prepared import (
    NO_CELLS,
    Arrays,
    PackedTemplates,
    PreparedTemplate,
    pack,
    prepare,
    unpacked,
)
from matcher.ridge_fields import lay_fields
from matcher.scoring import Score, calibrate, calibrate_many

__all__ = [
    "Comparison",
    "PreparedTemplate",
    "compare",
    "measured",
    "prepare",
    "raw_many",
    "score_many",
    "score_of",
]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One comparison, with what an examiner needs to see why.

    score:    −10·log10(FMR), calibrated.
    raw:      worth · share · ridges · trust, before calibration.
    pairs:    int16[k, 2], corresponding minutiae as (row of the probe's template, row of the reference's).
    motion:   (cos, sin, dx, dy): turns the probe counter-clockwise and shifts it onto the reference, y up.
    worth:    sum over the pairs of nearness and similarity of neighbourhoods.
    share:    share of the minutiae in the common region that are paired, 0-1.
    ridges:   factor from the agreement of the ridge orientations, 0-1.1; 1 where a print has no field.
    trust:    factor from the other circumstances, 0.4-2.5: see `matcher.measures`.
    because:  what each circumstance adds to the logarithm of the trust, by name.
    """

    score: Score
    raw: float
    pairs: NDArray[np.int16]
    motion: tuple[float, float, float, float]
    worth: float
    share: float
    ridges: float
    trust: float
    because: Mapping[str, float]


def score_of(probe: PreparedTemplate, reference: PreparedTemplate) -> Score:
    """Score alone, the fast path: the same number as `compare` gives."""
    first, second = _ranked(probe, reference)
    fielded = probe.has_field and reference.has_field
    raw = _raw(_arrays(first, fielded), _arrays(second, fielded), trust_table(with_field=fielded))
    return calibrate(raw, with_field=fielded)


def compare(probe: PreparedTemplate, reference: PreparedTemplate) -> Comparison:
    """Compare two prints; the score does not depend on which is the probe."""
    first, second = _ranked(probe, reference)
    fielded = probe.has_field and reference.has_field
    pairs, motion, features, measures = _weigh(_arrays(first, fielded), _arrays(second, fielded))
    found = np.stack([first.order[pairs[:, 0]], second.order[pairs[:, 1]]], axis=1)
    swapped = first is not probe
    cos, sin, dx, dy = inverse(motion) if swapped else motion
    worth, share, ridges = (float(feature) for feature in features)
    # Without pairs there is nothing to trust or to mistrust.
    trusted = float(trust(measures, trust_table(with_field=fielded))) if len(pairs) else 1.0
    raw = worth * share * ridges * trusted
    return Comparison(
        score=calibrate(raw, with_field=fielded),
        raw=raw,
        pairs=np.ascontiguousarray(found[:, ::-1] if swapped else found),
        motion=(float(cos), float(sin), float(dx), float(dy)),
        worth=worth,
        share=share,
        ridges=ridges,
        trust=trusted,
        because=contributions(measures, with_field=fielded) if len(pairs) else {},
    )


def score_many(probe: PreparedTemplate, references: Sequence[PreparedTemplate]) -> NDArray[np.float32]:
    """Scores of one probe against many references, float32[k], in one call without the GIL."""
    fielded = np.array([probe.has_field and reference.has_field for reference in references], np.bool_)
    return calibrate_many(raw_many(probe, references), with_field=fielded)


def raw_many(
    probe: PreparedTemplate, references: Sequence[PreparedTemplate] | PackedTemplates
) -> NDArray[np.float64]:
    """Raw scores of one probe against many references, float64[k]: what a calibration is fitted to.

    References that many probes meet are better packed once, by `matcher.prepared.pack`.
    """
    packed = references if isinstance(references, PackedTemplates) else pack(references)
    fielded = packed.has_field & probe.has_field
    count, checksum = packed.keys.T
    ranked = (count > probe.key[0]) | ((count == probe.key[0]) & (checksum >= probe.key[1]))
    raws = np.empty(len(packed), np.float64)
    tables = (trust_table(with_field=False), trust_table(with_field=True))
    _raw_many(_arrays(probe, fielded=True), packed.arrays, packed.bounds, fielded, ranked, tables, raws)
    return raws


def measured(probe: PreparedTemplate, reference: PreparedTemplate) -> tuple[float, Measures]:
    """Worth · share · ridges and the measures beside them: what a trust table is fitted to."""
    first, second = _ranked(probe, reference)
    fielded = probe.has_field and reference.has_field
    _, _, features, measures = _weigh(_arrays(first, fielded), _arrays(second, fielded))
    return float(features.prod()), measures


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
def _weigh(probe: Arrays, reference: Arrays) -> tuple[Pairs, Motion, NDArray[np.float64], Measures]:
    """The best pairs, their motion, [worth, share, ridges], and what else was measured."""
    own, own_descriptors, own_cells, own_hull = probe
    other, other_descriptors, other_cells, other_hull = reference
    table = similarities(own_descriptors, other_descriptors)
    candidates = strongest_pairs(table)
    compatible = compatibilities(own, other, candidates)
    belief = relax(table, candidates, compatible)

    taken, support = np.zeros_like(belief), np.zeros_like(belief)
    best = _Alignment(unmoved(), own, other, own, candidates[:0], 0.0, 0.0, (0.0, 0.0))
    needed = min(SUPPORT_NEEDED, SUPPORT_A_MINUTIA * min(own.shape[1], other.shape[1]))
    hulls, starts = (own_hull, other_hull), strip_starts(other)
    for _ in range(SEEDS):
        if next_seed(belief, compatible, taken, support) < needed:
            break
        rough = fit_motion(own, other, candidates, support)
        motion, there, pairs = settle(own, other, starts, table, rough)
        laid = stretch(there, other, pairs, table)
        laid = unbend(laid, other, pair_within(laid, other, starts, STRETCHED_PX), table)
        judged = _judge(laid, other, starts, table, hulls, (motion, there, moved(other, inverse(motion))))
        if judged.worth * judged.share > best.worth * best.share:
            best = judged
        if judged.worth * judged.share > CONVINCING:
            break
    if DOUBTFUL_FROM < best.worth * best.share <= CONVINCING:
        laid = best.laid
        for reach in FOLLOWED_PX:
            laid = unbend(laid, other, pair_within(laid, other, starts, reach), table)
        judged = _judge(laid, other, starts, table, hulls, (best.motion, best.there, best.back))
        if judged.worth * judged.share > best.worth * best.share:
            best = judged

    features, measures = np.array((best.worth, best.share, 0.0)), np.zeros(COUNT)
    if best.worth > 0.0:
        fields = lay_fields(own_cells, other_cells, best.motion)
        features[2] = ridge_factor(fields.agreement) if own_cells.size and other_cells.size else 1.0
        measure_pairs(best.laid, other, best.pairs, table, measures)
        measure_strain(best.there, best.laid, best.pairs, measures)
        measure_region(best.share, best.common, fields, measures)
    return best.pairs, best.motion, features, measures


class _Alignment(NamedTuple):
    """One way to lay the probe over the reference, and what it comes to.

    motion: of the probe; there: its minutiae so moved; back: the reference's, moved the other way.
    laid:   the probe's minutiae, distortion undone.
    pairs, worth, share: of these; common: what there was to pair, see `common_weights`.
    """

    motion: Motion
    there: Floats
    back: Floats
    laid: Floats
    pairs: Pairs
    worth: float
    share: float
    common: tuple[float, float]


@kernel
def _judge(
    laid: Floats,
    other: Floats,
    starts: Starts,
    table: Floats,
    hulls: tuple[Floats, Floats],
    moving: tuple[Motion, Floats, Floats],
) -> _Alignment:
    """What one alignment comes to; moving: its motion, and what that makes of either print's minutiae."""
    motion, there, back = moving
    pairs = pair_within(laid, other, starts, NARROW_PX)
    worth = worth_of_pairs(laid, other, pairs, table)
    common = common_weights(there, back, pairs, hulls[0], hulls[1])
    share = share_of_pairs(laid, other, pairs, common)
    return _Alignment(motion, there, back, laid, pairs, worth, share, common)


@kernel
def _raw(probe: Arrays, reference: Arrays, table: Measures) -> float:
    """The raw score alone."""
    _, _, features, measures = _weigh(probe, reference)
    evidence = features[0] * features[1] * features[2]
    return float(evidence * trust(measures, table)) if evidence > 0.0 else 0.0


@kernel
def _raw_many(
    probe: Arrays,
    packed: Arrays,
    bounds: NDArray[np.int64],
    fielded: NDArray[np.bool_],
    ranked: NDArray[np.bool_],
    tables: tuple[Measures, Measures],
    raws: NDArray[np.float64],
) -> None:
    """Fill `raws` float64[k] with the raw scores of one print against `k` packed ones."""
    minutiae, descriptors, _, hull = probe
    bare = (minutiae, descriptors, np.empty((0, 0), np.uint8), hull)
    for k in range(len(raws)):
        other = unpacked(packed, bounds, k, fielded[k])
        own = probe if fielded[k] else bare
        table = tables[1] if fielded[k] else tables[0]
        raws[k] = _raw(own, other, table) if ranked[k] else _raw(other, own, table)
