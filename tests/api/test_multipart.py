"""Multipart posts: taken apart in memory, and anything crooked refused."""

from __future__ import annotations

import contextlib
import random

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import BodyTooLarge, InvalidRequest
from api.multipart import Form, parse
from matcher.errors import FingerprintError


def _post(**parts: object) -> tuple[str, bytes]:
    files = {name: (name, value) for name, value in parts.items() if isinstance(value, bytes)}
    data = {name: str(value) for name, value in parts.items() if not isinstance(value, bytes)}
    request = httpx.Request("POST", "http://x", data=data, files=files)
    return request.headers["content-type"], request.read()


def _parse(kind: str, body: bytes, *, max_files: int = 10, max_file_bytes: int = 1000) -> Form:
    return parse(kind, body, max_files=max_files, max_file_bytes=max_file_bytes)


def test_fields_and_files_come_apart() -> None:
    """What a common client sends is what we read."""
    form = _parse(*_post(right_index=b"\x00\xff\r\n--", left_index=b"", ppi=500))
    assert form.fields == {"ppi": "500"}
    assert [(part.name, part.data) for part in form.files] == [
        ("right_index", b"\x00\xff\r\n--"),
        ("left_index", b""),
    ]


def test_one_file_too_many_is_refused() -> None:
    """Eleven images need two posts."""
    kind, body = _post(**{f"f{number}": b"x" for number in range(11)})
    with pytest.raises(BodyTooLarge, match="More than 10 images"):
        _parse(kind, body)


def test_large_file_is_refused() -> None:
    """Each part has its own limit."""
    kind, body = _post(right_index=b"x" * 1001)
    with pytest.raises(BodyTooLarge, match="right_index"):
        _parse(kind, body)


def test_large_field_is_refused() -> None:
    """Text fields are short."""
    kind, body = _post(purpose="x" * 5000, right_index=b"print")
    with pytest.raises(BodyTooLarge, match="purpose"):
        _parse(kind, body)


@pytest.mark.parametrize(
    "kind", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=a"]
)
def test_other_bodies_are_refused(kind: str) -> None:
    """The sentence shows how to post."""
    with pytest.raises(InvalidRequest, match="curl"):
        _parse(kind, b"{}")


@pytest.mark.parametrize("missing", [3, 4, 20, 60])
def test_cut_off_body_is_refused(missing: int) -> None:
    """A post without its end may lack images: nothing of it is used."""
    kind, body = _post(right_index=b"print", left_index=b"print")
    with pytest.raises(InvalidRequest):
        _parse(kind, body[:-missing])


def test_field_sent_twice_is_refused() -> None:
    """Nobody can say which of the two would count."""
    kind, body = _post(purpose="a", other="b", right_index=b"print")
    with pytest.raises(InvalidRequest, match="twice"):
        _parse(kind, body.replace(b"other", b"purpose"))


@given(seed=st.integers(0, 2**32))
def test_mutated_bodies_give_a_form_or_a_refusal(seed: int) -> None:
    """Arbitrary bytes never raise anything else."""
    kind, body = _post(right_index=b"print" * 20, ppi=500)
    draw = random.Random(seed)
    mutated = bytearray(body)
    for _ in range(draw.randint(1, 6)):
        mutated[draw.randrange(len(mutated))] = draw.randrange(256)
    with contextlib.suppress(FingerprintError):
        _parse(kind, bytes(mutated))
