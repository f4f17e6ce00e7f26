"""Every tuned constant of the comparison: lengths in pixels at 500 ppi, angles in radians.

Origin "MCC" is Cappelli, Ferrara and Maltoni, "Minutia Cylinder-Code", TPAMI 32(12), 2010, table 1;
"tuned" means chosen by all-pairs errors on several sensors at once, one value for all of them.
"""

from __future__ import annotations

import math
from typing import Final

# --- local descriptor: one cylinder a minutia ---------------------------------------------------

#: Cells along each side of the cylinder's base (MCC Ns).
CYLINDER_CELLS: Final = 8
#: Angular sections of the cylinder (MCC Nd).
CYLINDER_SECTIONS: Final = 6
#: Radius of the neighbourhood a cylinder sees, px (MCC R is 70; tuned).
CYLINDER_RADIUS: Final = 75.0
#: Spread of one neighbour's contribution in space, px (MCC sigma_S).
CYLINDER_SIGMA_PX: Final = 28.0 / 3.0
#: Spread of one neighbour's contribution in direction, rad (MCC sigma_D).
CYLINDER_SIGMA_ANGLE: Final = 2.0 * math.pi / 9.0
#: Centre of the sigmoid that saturates a cell (MCC mu_psi is 0.01, for neighbours of full weight).
CYLINDER_SIGMOID_CENTRE: Final = 0.008
#: Steepness of that sigmoid (MCC tau_psi).
CYLINDER_SIGMOID_SLOPE: Final = 400.0
#: Without a field, a cell counts when it lies this near to the minutiae's convex hull, px (MCC Omega).
CYLINDER_HULL_MARGIN: Final = 50.0
#: A minutia with fewer neighbours has no descriptor (MCC min_M).
CYLINDER_NEIGHBOURS: Final = 2

# --- pairing: which minutiae may correspond -----------------------------------------------------

#: Most similar reference minutiae kept for each probe minutia.
PAIRS_A_MINUTIA: Final = 3
#: Candidate pairs kept in all.
PAIRS_KEPT: Final = 40
#: Two pairs nearer than this in either print say nothing about each other, px.
PAIRS_APART_PX: Final = 4.0
#: Two pairs fit together when their distances differ by less than this, px, ...
COMPATIBLE_PX: Final = 12.0
#: ... plus this share of the distance (skin stretches), ...
COMPATIBLE_STRETCH: Final = 0.06
#: ... and their turns differ by less than this, rad.
COMPATIBLE_ANGLE: Final = 0.7
#: Rounds of relaxation (MCC n_rel).
RELAXATION_ROUNDS: Final = 5
#: Weight of a pair's own belief against its neighbours' in one round (MCC w_R).
RELAXATION_INERTIA: Final = 0.5

# --- alignment ----------------------------------------------------------------------------------

#: Alignments tried for each comparison, from different seeds.
SEEDS: Final = 4
#: A seed whose supporters' beliefs sum to less than this for each minutia of the smaller print, ...
SUPPORT_A_MINUTIA: Final = 0.002
#: ... or than this, proposes no motion. Half of the non-mated comparisons of 35 minutiae end here; of 3,668
#: mated pairs of nine sets none needed such a seed.
SUPPORT_NEEDED: Final = 0.06
#: When worth times share passes this, no other seed is tried: of 104,640 non-mated comparisons of nine sets
#: none passed 5.5.
CONVINCING: Final = 8.0
#: Between this and `CONVINCING`, the distortion of the best alignment is followed further out: in one of
#: seven non-mated comparisons of 35 minutiae, and in mated ones that are badly bent or share little.
DOUBTFUL_FROM: Final = 1.0
#: Lever at which a turn of one minutia counts like a shift when a motion is fitted, px.
DIRECTION_LEVER: Final = 25.0
#: Rounds of pairing and refitting before the distortion is looked at. A third changes no error rate of nine
#: sets, as they are and made harder, beyond noise; one alone costs pairs of noisy prints.
REFITS: Final = 2
#: Weight of a pair in a refit before its descriptors' similarity is added.
REFIT_BASE: Final = 0.2
#: Paired minutiae lie this near while the motion is rigid, px, ...
WIDE_PX: Final = 18.0
#: ... this near once stretch and shear are undone, px, ...
STRETCHED_PX: Final = 15.0
#: ... this near once the skin distortion is undone, px, ...
NARROW_PX: Final = 11.0
#: ... this near, px, round by round, while the distortion of a doubtful one is followed further out, ...
FOLLOWED_PX: Final = (18.0, 15.0)
#: ... and turn from each other by less than this, rad.
PAIR_ANGLE: Final = 0.55
#: Weight of "no stretch" against the pairs, px²: the variance of a pair's place, 9 px², over that of skin's
#: and sensors' stretch, 0.057².
STRETCH_STIFFNESS: Final = 2800.0
#: Reach of the residuals' smoothing, px: beyond it a pair says nothing about the distortion.
DISTORTION_REACH: Final = 130.0
#: Weight of "no distortion" against the pairs nearby.
DISTORTION_STIFFNESS: Final = 0.5

# --- evidence -----------------------------------------------------------------------------------

#: Twice the variance of a mated pair's distance along one axis, px².
SCORE_SQUARE_PX: Final = 50.0
#: Twice the variance of a mated pair's turn, rad².
SCORE_SQUARE_ANGLE: Final = 0.08
#: What a pair is worth before its descriptors' similarity is added.
SCORE_PAIR_BASE: Final = 0.35
#: What a comparison is worth before the agreement of the ridges is added.
SCORE_RIDGE_BASE: Final = 0.2
#: Correlation of the kind that is read (ending 1, bifurcation -1) with the finger's: of a sure minutia, ...
KIND_READ: Final = 0.9
#: ... of a doubtful one, in between by the square of the probability, ...
KIND_READ_DOUBTFUL: Final = 0.5
#: ... and where nobody says how sure it is. Of 140,000 pairs of mated minutiae (`benchmarks.kinds`, mean of
#: nine sets) 88 % were read alike where both had a probability from 85 % on, 71 % where one was below 30 %.
KIND_READ_UNKNOWN: Final = 0.75
#: A minutia this near to the convex hull of the other print's minutiae could show there too, px.
HULL_MARGIN: Final = 12.0
