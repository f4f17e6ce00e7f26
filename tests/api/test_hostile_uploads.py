"""Hostile images through the running service: each is a 4xx with a sentence, and the next valid one works."""

from __future__ import annotations

import random
import struct
import zlib

import cv2
import numpy as np
import pytest
from running_service import KNOWN, STRANGER, Running, picture

from api.roles import Role
from enrollment.capture import FingerprintImage
from enrollment.sandbox import DecoderSandbox
from fixtures.named import print_of
from matcher.codes import FingerPosition

#: Bytes at the start of a file hold its header: where a mutation does most.
_HEADER_BYTES = 200


@pytest.fixture(scope="module")
def wsq_file() -> bytes:
    """A real WSQ file: the format whose decoder crashes."""
    image: FingerprintImage = print_of(KNOWN, FingerPosition.RIGHT_INDEX, 1)
    with DecoderSandbox(workers=1) as decoder:
        return decoder.encode_wsq(image)


def _mutated(data: bytes, draw: random.Random) -> bytes:
    """Cut it, overwrite some bytes of its header, or both."""
    mutated = bytearray(data)
    for _ in range(draw.randint(1, 8)):
        mutated[draw.randrange(min(_HEADER_BYTES, len(mutated)))] = draw.randrange(256)
    return bytes(mutated[: draw.randrange(len(mutated))] if draw.random() < 0.4 else mutated)


def _bomb(side_px: int) -> bytes:
    """A small PNG file that is a huge black picture."""
    rows = zlib.compress(bytes((side_px + 1) * side_px), 9)
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.slow
def test_mutated_images_are_refused_and_the_service_stays_up(running: Running, wsq_file: bytes) -> None:
    """A hundred WSQ and a hundred PNG files, damaged; whatever decodes all the same may be enrolled."""
    draw = random.Random(20)
    good_png = picture(STRANGER)
    statuses = set()
    for number in range(200):
        data = _mutated(wsq_file if number % 2 else good_png, draw)
        answer = running.police("identify", {"left_middle": data}, ppi="500")
        statuses.add(answer.status_code)
        assert answer.status_code < 500, answer.text
        if answer.status_code != 200:
            assert answer.json()["detail"]
    assert 422 in statuses
    assert running.police("identify", {"right_index": picture(KNOWN, 2)}).status_code == 200


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "unsupported_format"),
        (b"\x89PNG\r\n\x1a\n", 422, "undecodable_image"),
        (b"\xff\xd8\xff\xe0" + b"x" * 100, 422, "unsupported_format"),
        (b"%PDF-1.7", 422, "unsupported_format"),
        (b"GIF89a" + b"x" * 100, 422, "unsupported_format"),
        (_bomb(6_000), 413, "image_too_large"),
        (_bomb(1_900), 422, "no_usable_print"),
    ],
    ids=["empty", "cut off", "jpeg", "pdf", "gif", "bomb", "black picture"],
)
def test_what_is_no_print_is_refused_by_name(running: Running, data: bytes, status: int, code: str) -> None:
    """The sentence says what came and what to send instead."""
    answer = running.police("identify", {"left_middle": data}, ppi="500")
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_print_on_an_endless_page_is_too_large(running: Running) -> None:
    """A sound print at the top of 4,100 rows: fewer pixels than are read, but no template is so long.

    Found by `fuzz-http`: a damaged height made such a page, and the answer was 500.
    """
    print_ = cv2.imdecode(np.frombuffer(picture(KNOWN, 2), np.uint8), cv2.IMREAD_GRAYSCALE)
    page = cv2.copyMakeBorder(print_, 0, 4_100 - print_.shape[0], 0, 0, cv2.BORDER_CONSTANT, value=255)
    answer = running.police("identify", {"right_index": cv2.imencode(".png", page)[1].tobytes()}, ppi="500")
    assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large"), answer.text
    assert "4000 on a side" in answer.json()["detail"]


def test_image_without_resolution_says_how_to_give_it(running: Running) -> None:
    """The most common mistake has the most helpful answer."""
    data = picture(KNOWN, 2)
    start = data.index(b"pHYs") - 4
    answer = running.police("identify", {"left_middle": data[:start] + data[start + 21 :]})
    assert answer.json()["code"] == "unknown_resolution"
    assert "ppi=500" in answer.json()["detail"]


def test_body_over_the_limit_is_refused_while_it_arrives(running: Running) -> None:
    """A chunked body promises no length; it is cut off where the limit is."""
    limit = running.settings.max_body_bytes

    def endless() -> object:
        sent = 0
        while sent < limit + 3_000_000:
            sent += 1_000_000
            yield b"x" * 1_000_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = running.ask(Role.DESK, "POST", "/desk/encounters", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
