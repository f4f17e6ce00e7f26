"""Every tuned constant of enrollment, with its unit and where it comes from. Pixels are pixels at 500 ppi."""

from __future__ import annotations

import math

# --- segmentation: gradient magnitude, after Cappelli, "GMFS" (IEEE Access 2023), worked at a quarter of the size

#: Ridges make strong grey steps everywhere; the ground does not. Pixels averaged into one.
SEGMENTATION_STEP_PX = 4
#: Standard deviation of the average of gradient magnitudes, about half a ridge period; GMFS.
SEGMENTATION_BLUR_PX = 13 / 3
#: The strong gradients of this picture: percentile of the magnitudes, GMFS.
STRONG_PERCENTILE = 95.0
#: Foreground where the average exceeds this share of the strong gradients; GMFS.
FOREGROUND_SHARE = 0.2
#: No ridge pattern is fainter than this mean gradient, in grey levels per pixel (4 % of the full range a ridge).
FAINTEST_GRADIENT = 1.0
#: Gaps between ridges and small holes to close, and protrusions to cut, in pixels; GMFS.
CLOSING_PX = 8
OPENING_PX = 12
#: A second region belongs to the print when it has this share of the largest one's area (a crease cut it off).
COMPANION_SHARE = 0.25

# --- crop for the network

#: The network sees this much around the foreground.
CROP_MARGIN_PX = 12
#: The network halves its picture five times.
CROP_MULTIPLE_PX = 32

# --- minutiae

#: Direction and type of a peak depend on this many half-resolution features across: the last 5×5 convolution
#: reads 3 of them, the depthwise 7×7 before it 6 more.
PATCH = 9

#: Least value of the network's smoothed probability map at a peak; 0.6 is the published default, 0.2 matches best.
PEAK_THRESHOLD = 0.2
#: One minutia in a square of this side; published with the network.
PEAK_SIDE_PX = 7
#: Network probability from which a minutia counts as a ridge ending.
ENDING_THRESHOLD = 0.5

# --- what is no usable print

#: Smallest foreground, in square pixels: about 5 × 5 mm, a fifth of a plain print.
LEAST_AREA_PX2 = 10_000
#: Least mean coherence of the orientation field over the foreground; ridges have 0.5-0.9, noise below 0.2.
LEAST_COHERENCE = 0.25
#: Fewer minutiae than this cannot be compared.
LEAST_MINUTIAE = 6

# --- quality

#: Expected number of true minutiae (sum of probabilities) at which the minutiae part of the quality is full.
FULL_MINUTIAE = 35.0
#: Foreground at which the area part of the quality is full: about 13 × 13 mm.
FULL_AREA_PX2 = 65_000

#: A full turn.
TURN = 2 * math.pi
