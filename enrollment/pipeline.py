"""The extraction page: from a picture of one finger to its template."""

from __future__ import annotations

from enrollment.acceptance import failure, why_no_fingertip, why_no_template
from enrollment.capture import Capture, FailureToAcquire, Finger, Trace, no_trace
from enrollment.grey_bands import grey_bands, without_grain
from enrollment.heap import give_back_memory
from enrollment.image import normalise
from enrollment.minutiae import to_template
from enrollment.network import MinutiaeNetwork
from enrollment.orientation import ridge_field
from enrollment.parameters import GRAINY_SHARE, LARGE_PX2
from enrollment.polarity import with_dark_ridges
from enrollment.quality import assess
from enrollment.segmentation import crop_to_foreground, gradients, is_grainy, segment, segment_ridges

#: Name and version of what makes templates here: the network's, then ours. Stored with every finger.
EXTRACTOR = "leader-0.7.3/tenprint-4"


def extract(capture: Capture, network: MinutiaeNetwork, trace: Trace = no_trace) -> Finger | FailureToAcquire:
    """A finger with its template and quality, or why there is none.

    Raises only what `normalise` refuses (a resolution that cannot be, a picture too large).
    """
    pixels = normalise(capture.image).pixels
    steps = gradients(pixels)
    foreground = segment(steps)
    pixels = with_dark_ridges(pixels, foreground)
    trace("normalised", pixels)

    field = ridge_field(steps, foreground)
    if is_grainy(field):
        foreground = segment_ridges(pixels)
        field = ridge_field(steps, foreground)
    del steps
    trace("foreground", foreground)

    bands = grey_bands(pixels, foreground)
    trace("grey_bands", bands)

    clear = pixels
    if bands.grain > GRAINY_SHARE:
        clear = without_grain(pixels)
        field = ridge_field(gradients(clear), foreground)
    trace("field", field)
    if reason := why_no_fingertip(pixels, foreground, field, bands.ridges):
        return failure(capture, reason)

    if pixels.size > LARGE_PX2:
        give_back_memory()  # the network can use what the steps so far needed

    crop = crop_to_foreground(clear, foreground)
    trace("crop", crop)

    detections = network.detect(crop.pixels, crop.foreground)
    trace("detections", detections)

    template = to_template(detections, crop, foreground, field)
    trace("template", template)
    if reason := why_no_template(template, foreground, field, bands.ridges):
        return failure(capture, reason)

    quality = assess(template, pixels, foreground)
    trace("quality", quality)
    return Finger(capture.position, capture.impression, template, quality, EXTRACTOR)
