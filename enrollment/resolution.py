"""Pixels per inch: whom to believe, what is absurd, what is meant. Never assumed.

Order of belief (interop.md 6): container record, then file, then argument.

1. A value outside 250-1200 ppi in a container or file (72, 96, the 1 of FVC's tags) is a default that some
   program wrote: it counts as absent.
2. An argument outside 250-1200 is refused: somebody meant it.
3. A container overrules the file (scanners' encoders write 500 whatever the sensor does).
4. An argument that differs by more than 2 % from a usable container or file value is refused: one of
   the two is wrong, and a wrong scale is a silent non-match.
5. What lies within 2 % of 500 or 1000 is 500 or 1000 (files round through pixels per metre);
   every other value is kept, to the nearest whole ppi.
"""

from __future__ import annotations

from enrollment.errors import UnknownResolution

#: Accepted range: 250 ppi is the lowest class of ANSI/NIST-ITL scanners, 1200 the highest flatbed optics.
MIN_PPI, MAX_PPI = 250, 1200
#: Nominal resolutions of ANSI/NIST-ITL, and how near a value must be to mean one of them.
NOMINAL_PPI = (500, 1000)
TOLERANCE = 0.02

_ADVICE = "pass the scanner's true resolution as ppi, for example ppi=500 (command line: --ppi 500)"


def usable(ppi: float | None) -> bool:
    """Whether a value can be a fingerprint scanner's resolution."""
    return ppi is not None and MIN_PPI <= ppi <= MAX_PPI


def agreed_ppi(
    *, container: float | None, file: float | None, file_vertical: float | None, argument: float | None
) -> int:
    """The resolution to believe, in ppi, by the rules above."""
    if argument is not None and not usable(argument):
        raise UnknownResolution(
            f"ppi={argument:g} is no fingerprint resolution; it must lie between {MIN_PPI} and {MAX_PPI}: "
            f"{_ADVICE}."
        )
    for believed, source in ((container, "record around the image"), (file, "image file")):
        if believed is None or not usable(believed):
            continue
        if source == "image file" and file_vertical and not _close(believed, file_vertical):
            raise UnknownResolution(
                f"The file gives {believed:g} ppi across and {file_vertical:g} down: "
                "export the image with square pixels."
            )
        if argument is not None and not _close(believed, argument):
            raise UnknownResolution(
                f"The {source} says {believed:.0f} ppi, the request {argument:g}: "
                "correct the wrong one, or leave ppi out."
            )
        return nominal_ppi(believed)
    if argument is not None:
        return nominal_ppi(argument)
    raise UnknownResolution(f"{_what_was_found(container, file)}: {_ADVICE}.")


def nominal_ppi(ppi: float) -> int:
    """500 or 1000 if that is meant, else the nearest whole number."""
    for nominal in NOMINAL_PPI:
        if _close(ppi, nominal):
            return nominal
    return round(ppi)


def _close(left: float, right: float) -> bool:
    return abs(left - right) <= TOLERANCE * right


def _what_was_found(container: float | None, file: float | None) -> str:
    said = [
        f"{source} says {value:.4g}"
        for source, value in (("the record around it", container), ("its file", file))
        if value is not None
    ]
    if not said:
        return "The image carries no resolution"
    return f"The image carries no usable resolution ({' and '.join(said)} ppi)"
