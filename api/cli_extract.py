"""`tenprint extract`: what the service sees in an image."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any

import cv2
import typer

from api.captures import Upload, acquire
from api.cli_common import AsJson, Ppi, out, print_json
from api.cli_images import ImageFile
from api.engine import Engine, open_engine
from api.errors import InvalidRequest
from api.exit_codes import INPUT_REFUSED
from api.explanation import draw
from api.settings import load_settings
from enrollment.capture import Capture, FailureToAcquire, Finger
from matcher.codes import MinutiaKind
from matcher.template import Template

app = typer.Typer()


@app.command()
def extract(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image file of one finger.")],
    ppi: Ppi = None,
    *,
    as_json: AsJson = False,
    explain: Annotated[
        Path | None,
        typer.Option("--explain", metavar="OUT.png", help="Also draw what was seen into a PNG file."),
    ] = None,
) -> None:
    """Extract the minutiae of one image and print them with the quality.

    Try:
        tenprint extract print.png --ppi 500 --json
        tenprint extract print.png --ppi 500 --explain seen.png

    Coordinates are pixels at 500 ppi from the top left; angles are degrees, counter-clockwise from the x
    axis. An image without a usable print says why and what to do; then the exit code is 1.

    --explain draws the print's mask, its flow, each minutia with type, direction and probability, and cores
    and deltas where the flow shows them, as far as the extraction came.
    """
    with open_engine(load_settings()) as engine:
        upload = ImageFile(image, person="", ppi=ppi).upload(engine.settings.max_image_bytes)
        acquired = acquire(engine, [upload])[0]
        if explain is not None:
            _explain(engine, upload, explain)
    answer: dict[str, Any] = {
        "image": str(image),
        "format": acquired.image.format,
        "width_px": acquired.image.width_px,
        "height_px": acquired.image.height_px,
        "ppi": acquired.image.ppi,
        **_facts(acquired.outcome),
    }
    if as_json:
        print_json(answer)
    else:
        _tell(answer)
    if "failure" in answer:
        sys.exit(INPUT_REFUSED)


def _explain(engine: Engine, upload: Upload, file: Path) -> None:
    # Elsewhere the network works in processes of its own; here its steps are looked at.
    from enrollment.network import MinutiaeNetwork  # noqa: PLC0415
    from enrollment.pipeline import extract as trace_extraction  # noqa: PLC0415

    stages: dict[str, Any] = {}
    image = engine.decoder.decode(upload.data, ppi=upload.ppi)
    capture = Capture(upload.position, upload.impression, image)
    trace_extraction(capture, MinutiaeNetwork.load(), stages.__setitem__)
    done, png = cv2.imencode(".png", draw(stages))
    if not done:
        raise InvalidRequest(f"The picture for {file} could not be made.")
    file.write_bytes(png.tobytes())


def _facts(outcome: Finger | FailureToAcquire) -> dict[str, Any]:
    if isinstance(outcome, FailureToAcquire):
        return {"failure": outcome.reason.value, "advice": outcome.advice, "minutiae": []}
    return {
        "quality": outcome.quality.value,
        "quality_algorithm": outcome.quality.algorithm,
        "defects": [defect.value for defect in outcome.quality.defects],
        "extractor": outcome.extractor,
        "template": {"width_px": outcome.template.width_px, "height_px": outcome.template.height_px},
        "minutiae": _minutiae(outcome.template),
    }


def _minutiae(template: Template) -> list[dict[str, Any]]:
    columns = zip(template.x, template.y, template.angle, template.kind, template.quality, strict=True)
    return [
        {
            "x": int(x),
            "y": int(y),
            "angle_deg": round(math.degrees(float(angle)), 1),
            "kind": MinutiaKind(int(kind)).name.lower(),
            "quality": int(quality),
        }
        for x, y, angle, kind, quality in columns
    ]


def _tell(answer: dict[str, Any]) -> None:
    size = f"{answer['width_px']} x {answer['height_px']} pixels at {answer['ppi']} ppi"
    out.print(f"{answer['image']}: {answer['format']}, {size}", markup=False)
    if "failure" in answer:
        out.print(f"{answer['failure']}: {answer['advice']}", markup=False)
        return
    defects = ", ".join(answer["defects"]) or "none"
    out.print(
        f"quality {answer['quality']} ({answer['quality_algorithm']}), defects: {defects}", markup=False
    )
    out.print(f"{len(answer['minutiae'])} minutiae by {answer['extractor']}:", markup=False)
    for minutia in answer["minutiae"]:
        out.print(
            f"  x {minutia['x']:4}  y {minutia['y']:4}  {minutia['angle_deg']:5.1f}°  "
            f"{minutia['kind']:11}  {minutia['quality']:3} %",
            markup=False,
        )
