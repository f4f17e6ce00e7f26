"""`tenprint quality`: how good a capture is, what is wrong with it, and what to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli_common import AsJson, Ppi, out, print_json
from api.cli_images import ImageFile
from api.engine import open_engine
from api.exit_codes import INPUT_REFUSED
from api.settings import load_settings
from enrollment.advice import Language, advice
from enrollment.capture import Capture, FailureToAcquire, Finger, Measure
from enrollment.nfiq2 import Nfiq2Sandbox

app = typer.Typer()


@app.command()
def quality(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image file of one finger.")],
    ppi: Ppi = None,
    *,
    as_json: AsJson = False,
    language: Annotated[
        Language, typer.Option("--language", help="Language of the advice.", case_sensitive=False)
    ] = Language.ENGLISH,
) -> None:
    """Judge one image: NFIQ 2, minutiae, our own quality, defects, and advice for the operator.

    Try:
        tenprint quality print.png --ppi 500 --language nl

    NFIQ 2 (ISO/IEC 29794-4) is NIST's own 2.3.0, 0-100. Where it gives no number the reason is named. An
    image without a usable print says why and what to do; then the exit code is 1.
    """
    settings = load_settings()
    with open_engine(settings) as engine, Nfiq2Sandbox(limits=engine.decoder.limits) as nfiq2:
        upload = ImageFile(image, person="", ppi=ppi).upload(settings.max_image_bytes)
        capture = Capture(upload.position, upload.impression, engine.decoder.decode(upload.data, ppi=ppi))
        outcome = engine.extract([capture])[0]
        measure = nfiq2.score(capture.image)
    height, width = capture.image.pixels.shape
    answer: dict[str, Any] = {
        "image": str(image),
        "width_px": width,
        "height_px": height,
        "ppi": capture.image.ppi,
        **_nfiq2(measure, language),
        **_facts(outcome, language),
    }
    if as_json:
        print_json(answer)
    else:
        _tell(answer)
    if answer["failure"]:
        sys.exit(INPUT_REFUSED)


def _nfiq2(measure: Measure, language: Language) -> dict[str, Any]:
    why = None if measure.failure is None else advice(measure.failure, language)
    return {
        "nfiq2": measure.value,
        "nfiq2_algorithm": measure.algorithm,
        "nfiq2_failure": measure.failure,
        "nfiq2_advice": why,
    }


def _facts(outcome: Finger | FailureToAcquire, language: Language) -> dict[str, Any]:
    if isinstance(outcome, FailureToAcquire):
        reason = outcome.reason.value
        found: dict[str, Any] = {"quality": None, "quality_algorithm": None, "minutiae": 0, "defects": []}
        return {**found, "failure": reason, "advice": advice(reason, language)}
    return {
        "quality": outcome.quality.value,
        "quality_algorithm": outcome.quality.algorithm,
        "minutiae": len(outcome.template),
        "defects": [
            {"code": defect.value, "advice": advice(defect, language)} for defect in outcome.quality.defects
        ],
        "failure": None,
        "advice": None,
    }


def _tell(answer: dict[str, Any]) -> None:
    size = f"{answer['width_px']} x {answer['height_px']} pixels at {answer['ppi']} ppi"
    number = answer["nfiq2_failure"] if answer["nfiq2"] is None else answer["nfiq2"]
    lines = [f"{answer['image']}: {size}", f"NFIQ 2    {number} ({answer['nfiq2_algorithm']})"]
    if answer["nfiq2_advice"]:
        lines.append(f"          {answer['nfiq2_advice']}")
    if answer["failure"]:
        lines += [f"template  none: {answer['failure']}", f"          {answer['advice']}"]
    else:
        lines += [
            f"quality   {answer['quality']} ({answer['quality_algorithm']})",
            f"minutiae  {answer['minutiae']}",
            f"defects   {', '.join(defect['code'] for defect in answer['defects']) or 'none'}",
        ]
        lines += [f"          {defect['advice']}" for defect in answer["defects"]]
    for line in lines:
        out.print(line, markup=False)
