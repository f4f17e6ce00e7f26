"""What a decoding child runs: native decoders of Pillow and the WSQ extension, to plain grey and back.

Imported by the worker process only; whoever else calls these functions takes their crashes upon himself.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from enrollment.decoder_protocol import Operation

if TYPE_CHECKING:
    from PIL import Image

#: Rate the extension's encoder is given; it writes 0.75 bit a pixel whatever stands here (measured).
_WSQ_RATE = 0.75


_PILLOW_NAMES = {
    Operation.DECODE_PNG: "PNG",
    Operation.DECODE_BMP: "BMP",
    Operation.DECODE_TIFF: "TIFF",
    Operation.DECODE_JPEG2000: "JPEG2000",
}


def work(
    operation: Operation, size: tuple[int, int], payload: bytes | bytearray
) -> tuple[tuple[int, int], bytes]:
    """Size and bytes of what one request asks for: pixels of a file, or a WSQ file of pixels."""
    if operation is Operation.ENCODE_WSQ:
        return size, encode_wsq(size, payload)
    return decode(operation, size, payload)


def decode(
    operation: Operation, size: tuple[int, int], payload: bytes | bytearray
) -> tuple[tuple[int, int], bytes]:
    """Size and grey bytes of one image, row by row; `size` is what its header promised."""
    if operation is Operation.DECODE_WSQ:
        import _wsq  # noqa: PLC0415 - loaded in the worker only

        pixels, width, height, _ = _wsq.decompress(bytes(payload))
        if (width, height) != size or len(pixels) != width * height:
            raise ValueError((width, height))
        return size, pixels
    from PIL import Image  # noqa: PLC0415 - loaded in the worker only

    image = Image.open(io.BytesIO(payload), formats=[_PILLOW_NAMES[operation]])
    if image.size != size and image.size != size[::-1]:
        raise ValueError(image.size)
    grey = to_grey(image)
    return grey.size, grey.tobytes()


def encode_wsq(size: tuple[int, int], payload: bytes | bytearray) -> bytes:
    """WSQ file of grey bytes, row by row."""
    import _wsq  # noqa: PLC0415 - loaded in the worker only

    width, height = size
    if len(payload) != width * height:
        raise ValueError(size)
    encoded: bytes = _wsq.compress(bytes(payload), height, width, _WSQ_RATE)
    return encoded


def to_grey(image: Image.Image) -> Image.Image:
    """Any Pillow image as 8-bit grey: upright by EXIF, transparency over white, 16 bits scaled to 8."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - loaded in the worker only

    if getattr(image, "n_frames", 1) != 1:
        raise ValueError("several frames")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        high_byte = 0 if image.mode == "I;16B" else 1
        return Image.frombytes("L", image.size, image.tobytes()[high_byte::2])
    if image.mode in {"I", "F"}:
        raise ValueError(image.mode)
    if image.has_transparency_data:
        page = Image.new("RGBA", image.size, "white")
        page.alpha_composite(image.convert("RGBA"))
        image = page
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return image.convert("L")


def load(max_pixels: int) -> list[tuple[Operation, tuple[int, int], bytes]]:
    """Load every decoder and run it once on our own pixels, so that a child needs no file any more.

    Returns those samples: operation, size, bytes of a file.
    """
    from PIL import (  # noqa: PLC0415 - only these plugins are loaded, and only in the worker
        BmpImagePlugin,
        Image,
        Jpeg2KImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
    )

    del BmpImagePlugin, Jpeg2KImagePlugin, PngImagePlugin, TiffImagePlugin  # registered by their import
    Image.MAX_IMAGE_PIXELS = max_pixels
    grey = Image.linear_gradient("L").resize((128, 96))
    samples = [(Operation.DECODE_WSQ, grey.size, encode_wsq(grey.size, grey.tobytes()))]
    for operation, name in _PILLOW_NAMES.items():
        for options in ({}, {"compression": "tiff_lzw"}) if name == "TIFF" else ({},):
            for mode in ("L", "P", "RGB") if name != "JPEG2000" else ("L", "RGB"):
                file = io.BytesIO()
                grey.convert(mode).save(file, name, **options)
                samples.append((operation, grey.size, file.getvalue()))
    for operation, size, payload in samples:
        decode(operation, size, payload)
    return samples
