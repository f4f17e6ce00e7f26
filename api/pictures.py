"""A stored picture as PNG, decoded in the sandbox like any other."""

from __future__ import annotations

import io

from PIL import Image

from api.engine import Engine
from enrollment.encounter import StoredImage
from enrollment.sandbox import RawLayout


def as_png(engine: Engine, data: bytes, described: StoredImage) -> bytes:
    """PNG with its resolution; the pixels are those of the picture as received."""
    layout = RawLayout(described.width_px, described.height_px) if described.format == "raw" else None
    image = engine.decoder.decode(data, container_ppi=described.ppi, raw=layout)
    out = io.BytesIO()
    Image.fromarray(image.pixels).save(out, "PNG", dpi=(image.ppi, image.ppi))
    return out.getvalue()
