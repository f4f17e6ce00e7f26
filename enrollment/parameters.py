"""Every tuned constant of enrollment, with its unit and where it comes from. Pixels are pixels at 500 ppi."""

from __future__ import annotations

import math

# --- segmentation: gradient magnitude after Cappelli, "GMFS" (2023), worked at a quarter of the size

#: Ridges make strong grey steps everywhere; the ground does not. Pixels averaged into one.
SEGMENTATION_STEP_PX = 4
#: Standard deviation of the average of gradient magnitudes, about half a ridge period; GMFS.
SEGMENTATION_BLUR_PX = 13 / 3
#: The strong gradients of this picture: percentile of the magnitudes, GMFS.
STRONG_PERCENTILE = 95.0
#: Foreground where the average exceeds this share of the strong gradients; GMFS.
FOREGROUND_SHARE = 0.2
#: The same two for the ridges of a picture full of grain, of which a small print may be a twenty-fifth.
STRONG_RIDGES_PERCENTILE, STRONG_RIDGES_SHARE = 99.0, 0.15
#: No ridge pattern is fainter than this mean gradient, in grey levels per pixel (4 % of the range a ridge).
FAINTEST_GRADIENT = 1.0
#: Gaps between ridges and small holes to close, and protrusions to cut, in pixels; GMFS.
CLOSING_PX = 8
OPENING_PX = 12
#: A second region belongs to the print when it has this share of the largest one's area (a crease).
COMPANION_SHARE = 0.25

#: Share of the foreground's grey energy that is grain above which the picture is seen without it.
#: On noisy prints of synthetic people the network finds a tenth more minutiae then, surer ones (mean
#: probability 0.73, was 0.67). Of 0.3 and 0.4 FVC2000 B fares better with this one; FVC2002 B is the same.
GRAINY_SHARE = 0.4

# --- crop for the network

#: The network sees at least this much around the foreground; 12 costs a tenth more time and gains nothing.
CROP_MARGIN_PX = 6
#: The network halves its picture five times.
CROP_MULTIPLE_PX = 32

#: The network's widest blocks work on the foreground and this much around it: a quarter less to do, and the
#: minutiae differ less from those of the whole picture than they do by the crop alone.
MIXED_MARGIN_PX = 8

#: A crop of more pixels is seen in strips: the network takes some 450 bytes a pixel, so this is 140 MiB.
STRIP_PX2 = 320_000
#: What strips see beyond what is read of them. The network looks far: at 128 px probabilities still differ by
#: up to 0.1 beside the seam, at 192 by 0.04.
STRIP_MARGIN_PX = 128

#: A picture of more pixels than this is worth a millisecond to give back what its first steps needed.
LARGE_PX2 = 1_000_000

# --- minutiae

#: Direction and type of a peak depend on this many half-resolution features across: the last 5×5 convolution
#: reads 3 of them, the depthwise 7×7 before it 6 more.
PATCH = 9

#: Least value of the smoothed probability map at a peak; 0.6 is published. The calibration rests on this
#: value, the gate of peaks (`FAINTEST_GATED`) and the synthetic templates, too: another needs all anew.
PEAK_THRESHOLD = 0.12
#: One minutia in a square of this side; published with the network.
PEAK_SIDE_PX = 7
#: Network probability from which a minutia counts as a ridge ending.
ENDING_THRESHOLD = 0.5

# --- what is no usable print (figures: the 728 plain prints of FVC2000, FVC2002 B and CrossMatch)

#: Smallest foreground, in square pixels: 5 × 5 mm. The smallest of the plain prints has 16,500.
LEAST_AREA_PX2 = 10_000
#: Share of the grey energy in the band of ridges, below which the network is not even asked. Prints have
#: 0.36-0.85; made worse (`benchmarks.worse_pictures`) 0.09 and more.
LEAST_RIDGE_SHARE = 0.05
#: Standard deviations that bound the bands, in pixels: grain below the first, shading beyond the last.
BAND_SIGMAS_PX = (1.0, 4.0, 16.0)
#: What tells a print from a picture of something else (`acceptance.print_evidence`): what the crowd of
#: minutiae, the clearness of the lines and the share of ridges weigh against the minutiae's sureness, and the
#: least evidence of a print. The regression is `benchmarks.train_acceptance`; the weights' card is
#: `decisions/0017-refused-is-missed.md`.
CROWD_WEIGHT, CLEARNESS_WEIGHT, RIDGES_WEIGHT, LEAST_PRINT_EVIDENCE = 0.14, 0.87, 0.33, 0.27
#: Peaks from this probability on count as minutiae that are to be expected.
COUNTED_PROBABILITY = 0.2
#: Fewer expected minutiae (sum of probabilities) cannot be compared.
LEAST_EXPECTED_MINUTIAE = 4.0

#: More than one finger leaves, in square pixels: 1.6 x 1.5 in rolled at 500 ppi; more than it is tall.
MOST_AREA_PX2 = 600_000
MOST_SIDE_PX = 900
#: What fills every corner of so much glass is no fingertip, which is round.
CORNERS_SHARE = 0.975
CORNERS_AREA_PX2 = 150_000
#: Where the least clear of the four corners, squares of this side, has more than this mean coherence (0-1):
#: palms 0.61-0.91, prints whose glass is noisy or misted all over up to 0.28.
CORNERS_PX, CORNERS_COHERENCE = 80, 0.45
#: Mean coherence (0-1) below which some of a foreground may be grain, which has no direction: synthetic
#: prints on noisy or dark glass 0.13-0.28; of 1048 real prints 17, eight of them framed by shaded glass too.
GRAIN_COHERENCE = 0.3
#: No fingertip of this many pixels has ridges that all run one way. Length of their mean direction (0-1)
#: above which they do, and where they arch over the middle; none of 1048 real prints is beyond. Asked of what
#: fills the picture to this share: a palm does, a fingertip has glass around.
JUDGED_AREA_PX2 = 40_000
JUDGED_FILL = 0.75
STRAIGHT_FLOW, ARCH_FLOW = 0.84, 0.97
#: Arching: log odds of `upright`.
ARCHING = 1.0
#: Nor ridges as clear as this that bend evenly, so that a plane through their direction leaves no more of it
#: than this. Palms 0.82-0.90 and 0.01-0.18; of 165 real prints that fill the glass none is clearer than 0.81,
#: and none clearer than 0.75 leaves less than 0.23.
EVEN_COHERENCE, EVEN_REST = 0.8, 0.2

# --- quality and defects (figures: the same prints; bounds of defects: `benchmarks.defect_captures`, the seed
# for fitting)

#: Expected minutiae and foreground at which their part of the quality is full: 13 × 13 mm.
FULL_MINUTIAE = 40.0
FULL_AREA_PX2 = 65_000
#: Defects: a twentieth of the plain prints lies beyond each of the first two.
FEW_EXPECTED_MINUTIAE = 16.0
SMALL_AREA_PX2 = 30_000
#: Coherence, 0-255, from which a cell shows ridges: a scanner's dirty rim is foreground too, but shows none.
RIDGE_COHERENCE = 77
#: Median grey difference between a ridge and the valley beside it; clean captures of every scanner have more.
LOW_CONTRAST_GREY = 25.0
#: A dry finger leaves broken ridges: little of the pattern is dark, in many pieces (in 10,000 px²), and what
#: is left hardly agrees on a direction.
DRY_DARK_SHARE = 0.25
DRY_PIECES = 36.0
DRY_COHERENCE = 0.51
#: A wet finger closes valleys: share of the pattern that is dark, and half the share that is dark over a
#: whole ridge period. A pattern as coherent as the second number is a dark scanner's.
WET_DARKNESS = 0.53
WET_COHERENCE = 0.78
#: A finger lies off the centre when the middle of what is seen is this share of the picture's side away, and
#: an edge of the picture cuts it along this much, against the root of its area.
OFF_CENTRE_SHARE = 0.15
OFF_CENTRE_CUT = 0.6
#: Share of rows in which two fingers lie side by side.
PARTED_SHARE = 0.05
#: Ridge periods in pixels beyond which the resolution cannot be right. Of thirty synthetic fingers of
#: children of six years one has less than the first.
PERIODS_PX = (5.2, 14.0)
#: A slip makes the spectrum depend on the direction in the picture by this much. Where it wipes out so much
#: that the period looks too wide, by the second number; but not where most of the pattern has that period.
SLIP, WIDE_SLIP = 0.15, 0.10
CLEAR_PERIOD_SHARE = 0.82
#: Log odds of an upright print (`upright`) below which it stands on its head.
TIP_DOWN = -0.9
#: Side of the square that holds a ridge and a valley anywhere, in pixels: one and a half periods.
RIDGE_AND_VALLEY_PX = 15
#: Less grey difference than this is no ridge to judge.
FLAT_GREY = 8.0

#: A full turn.
TURN = 2 * math.pi
