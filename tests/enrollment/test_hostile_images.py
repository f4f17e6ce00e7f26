"""Hundreds of files that nobody should send, through the real decoders: an image or a refusal, and soon."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator

import hostile
import numpy as np
import pytest

from enrollment.errors import MalformedImage
from enrollment.limits import DEFAULT_LIMITS
from enrollment.sandbox import DecoderSandbox

SEEDS = hostile.seeds()
BOMBS = hostile.bombs()
MISLABELLED = hostile.mislabelled()
MUTANTS_PER_SEED = 40
#: Among the WSQ mutants of this seed are files that the decoder dies of.
WSQ_SEED, WSQ_MUTANTS = 15, 80


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DecoderSandbox]:
    with DecoderSandbox() as pool:
        pool.decode(SEEDS["png"])
        yield pool


def answer(sandbox: DecoderSandbox, data: bytes) -> str:
    """`image`, or the code of the refusal; anything else escapes and fails the test."""
    start = time.monotonic()
    refusal: MalformedImage | None = None
    try:
        sandbox.decode(data, ppi=500)
    except MalformedImage as refused:
        refusal = refused
    assert time.monotonic() - start < DEFAULT_LIMITS.start_s + DEFAULT_LIMITS.wall_s + DEFAULT_LIMITS.grace_s
    assert type(refusal) is not MalformedImage, "a refusal must be a leaf"
    assert refusal is None or str(refusal).endswith(".")
    return refusal.code if refusal else "image"


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDS)
def test_mutants_are_an_image_or_a_refusal(sandbox: DecoderSandbox, name: str) -> None:
    """In time, without the loss of a worker, and the next sound file is read."""
    wsq = name == "wsq"
    rng = np.random.default_rng(WSQ_SEED if wsq else zlib.crc32(name.encode()))
    answers = [
        answer(sandbox, mutant)
        for mutant in hostile.mutants(SEEDS[name], WSQ_MUTANTS if wsq else MUTANTS_PER_SEED, rng)
    ]
    assert "undecodable_image" in answers
    assert answer(sandbox, SEEDS[name]) == "image"
    assert "restarted" not in sandbox.counts


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_at_once(sandbox: DecoderSandbox, name: str) -> None:
    """Within 200 ms of computing here and in the decoder, whatever it claims."""
    start = time.process_time()
    assert answer(sandbox, BOMBS[name]) != "image"
    assert time.process_time() - start < 0.2
    assert answer(sandbox, SEEDS["png"]) == "image"


@pytest.mark.parametrize("name", MISLABELLED)
def test_what_is_no_image_of_ours_is_named(sandbox: DecoderSandbox, name: str) -> None:
    """Refused from the first bytes; no decoder is asked."""
    before = sandbox.counts
    assert answer(sandbox, MISLABELLED[name]) in {"unsupported_format", "undecodable_image"}
    assert sandbox.counts == before


def test_damaged_wsq_gives_the_same_answer_each_time() -> None:
    """The decoder reads memory it never wrote; the workers see to it that this is always the same."""
    rng = np.random.default_rng(5)
    damaged = list(hostile.mutants(SEEDS["wsq"], 240, rng))[120:240:2]

    def pixels(pool: DecoderSandbox, data: bytes) -> bytes:
        try:
            return pool.decode(data, ppi=500).pixels.tobytes()
        except MalformedImage as refusal:
            return str(refusal).encode()

    runs = []
    for _ in range(2):
        with DecoderSandbox(workers=1) as pool:
            runs.append([pixels(pool, data) for data in damaged])
    assert runs[0] == runs[1]
