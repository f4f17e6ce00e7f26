"""The wall around native decoders: what comes through, what does not, and what is left behind."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hostile
import numpy as np
import pytest
from PIL import Image

from enrollment.capture import FingerprintImage
from enrollment.errors import (
    DecoderUnavailable,
    ImageTooSmall,
    MalformedImage,
    UndecodableImage,
    UnknownResolution,
)
from enrollment.limits import ImageLimits
from enrollment.sandbox import DecoderSandbox, RawLayout

GREY = hostile.ridges()
SEEDS = hostile.seeds()
SLOW = hostile.encoded(hostile.ridges(2_000, 2_000), "JPEG2000")
RIDGES_500 = FingerprintImage(GREY, 500)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DecoderSandbox]:
    with DecoderSandbox() as pool:
        workers_of(pool)
        yield pool


def saved(image: Image.Image, name: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, dpi=(500, 500), **options)
    return file.getvalue()


def children_of(pid: int) -> list[int]:
    """Process ids whose parent is `pid`, zombies among them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


def workers_of(pool: DecoderSandbox) -> list[int]:
    """Process ids of the workers of an idle pool, all of them started."""
    slots = [pool._free.get() for _ in range(pool._workers)]
    for slot in slots:
        pool._free.put(slot)
    return [slot.result().pid for slot in slots if slot is not None]


def open_files() -> int:
    """Number of file descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def eventually(condition: Callable[[], bool], within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


@pytest.mark.parametrize("name", ["png", "bmp", "tiff", "tiff-deflate", "tiff-lzw-palette", "jp2", "j2k"])
def test_lossless_formats_come_back_exactly(sandbox: DecoderSandbox, name: str) -> None:
    """Every pixel, and the resolution."""
    image = sandbox.decode(SEEDS[name], ppi=500)
    assert image.ppi == 500
    np.testing.assert_array_equal(image.pixels, GREY)


def test_lossy_formats_come_back_nearly(sandbox: DecoderSandbox) -> None:
    """WSQ and JPEG 2000 at 10:1 stay within a few grey levels of a noisy pattern."""
    for name in ("wsq", "jp2-lossy"):
        image = sandbox.decode(SEEDS[name], ppi=500)
        assert np.abs(image.pixels.astype(int) - GREY).mean() < 6


@pytest.mark.parametrize("ppi", [500, 569, 1000])
def test_wsq_written_here_is_read_here_with_its_resolution(sandbox: DecoderSandbox, ppi: int) -> None:
    """The encoder's constant 500 is replaced by the truth; about a bit a pixel."""
    data = sandbox.encode_wsq(FingerprintImage(GREY, ppi))
    image = sandbox.decode(data)
    assert (image.ppi, image.pixels.shape) == (ppi, GREY.shape)
    assert len(data) < GREY.size / 4


def test_picture_too_small_for_wsq_is_refused(sandbox: DecoderSandbox) -> None:
    """The same limits hold on the way out."""
    with pytest.raises(ImageTooSmall):
        sandbox.encode_wsq(FingerprintImage(GREY[:50], 500))


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.fromarray(GREY.astype(np.uint16) * 257), GREY),
        (Image.merge("RGB", [Image.fromarray(GREY)] * 3), GREY),
        (Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (160, 200), 255)]), GREY),
        (Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (160, 200), 0)]), np.full_like(GREY, 255)),
        (Image.fromarray(GREY).convert("P"), GREY),
    ],
    ids=["16-bit", "rgb", "opaque", "transparent is white paper", "palette"],
)
def test_other_pixel_kinds_become_grey(
    sandbox: DecoderSandbox, picture: Image.Image, expected: np.ndarray
) -> None:
    """16 bits are scaled, colours weighed, transparency laid on white."""
    np.testing.assert_array_equal(sandbox.decode(saved(picture)).pixels, expected)


def test_16_bit_tiff_and_jpeg_2000_become_grey(sandbox: DecoderSandbox) -> None:
    """Either byte order, and the deep JPEG 2000 of some scanners."""
    deep = GREY.astype(np.uint16) * 257
    for picture in (Image.fromarray(deep), Image.fromarray(deep.astype(">u2"))):
        np.testing.assert_array_equal(sandbox.decode(saved(picture, "TIFF")).pixels, GREY)
    np.testing.assert_array_equal(
        sandbox.decode(saved(Image.fromarray(deep), "JPEG2000"), ppi=500).pixels, GREY
    )


def test_cmyk_becomes_grey(sandbox: DecoderSandbox) -> None:
    """Print shops scan fingerprint cards as CMYK."""
    picture = Image.merge("RGB", [Image.fromarray(GREY)] * 3).convert("CMYK")
    pixels = sandbox.decode(saved(picture, "TIFF")).pixels
    assert np.abs(pixels.astype(int) - GREY).max() <= 1


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_exif_rotation_is_applied(sandbox: DecoderSandbox, name: str) -> None:
    """Orientation 6 means: turn a quarter clockwise to see it upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image = sandbox.decode(saved(Image.fromarray(GREY), name, exif=exif))
    np.testing.assert_array_equal(image.pixels, np.rot90(GREY, -1))


def test_raw_pixels_need_layout_and_resolution(sandbox: DecoderSandbox) -> None:
    """Width, height and ppi all come from the caller."""
    image = sandbox.decode(GREY.tobytes(), raw=RawLayout(160, 200), ppi=500)
    np.testing.assert_array_equal(image.pixels, GREY)
    assert sandbox.decode(GREY.tobytes(), raw=RawLayout(160, 200), container_ppi=1000).ppi == 1000
    with pytest.raises(UndecodableImage, match="takes 32160 bytes, one each, but 32000 came"):
        sandbox.decode(GREY.tobytes(), raw=RawLayout(160, 201), ppi=500)
    with pytest.raises(UnknownResolution, match="pass the scanner's true resolution"):
        sandbox.decode(GREY.tobytes(), raw=RawLayout(160, 200))


def test_missing_resolution_is_refused_before_decoding(sandbox: DecoderSandbox) -> None:
    """No worker is asked."""
    before = sandbox.counts
    with pytest.raises(UnknownResolution, match="--ppi 500"):
        sandbox.decode(SEEDS["jp2"])
    assert sandbox.counts == before


def test_many_threads_share_the_pool(sandbox: DecoderSandbox) -> None:
    """Each gets its own picture."""
    pictures = [hostile.ridges(seed=seed) for seed in range(8)]
    files = [hostile.encoded(pixels, "PNG", dpi=(500, 500)) for pixels in pictures]
    with ThreadPoolExecutor(8) as threads:
        images = list(threads.map(lambda index: sandbox.decode(files[index % 8]).pixels, range(64)))
    for index, pixels in enumerate(images):
        np.testing.assert_array_equal(pixels, pictures[index % 8])


def test_computing_time_is_limited() -> None:
    """A decoder that works too long is ended; its worker lives on."""
    with DecoderSandbox(workers=1, limits=ImageLimits(cpu_s=0.05)) as pool:
        with pytest.raises(UndecodableImage, match=r"takes longer than 0\.05 s"):
            pool.decode(SLOW, ppi=500)
        assert pool.decode(SEEDS["png"]).pixels.shape == GREY.shape
        assert pool.counts == {"timed_out": 1, "done": 1}


def test_memory_is_limited() -> None:
    """A decoder that wants too much is refused; its worker lives on."""
    with DecoderSandbox(workers=1, limits=ImageLimits(memory_bytes=60_000_000)) as pool:
        with pytest.raises(UndecodableImage, match="JPEG 2000 image"):
            pool.decode(SLOW, ppi=500)
        assert pool.decode(SEEDS["png"]).pixels.shape == GREY.shape
        assert "done" in pool.counts
        assert "restarted" not in pool.counts


def test_decoder_that_dies_costs_only_its_own_image() -> None:
    """SIGSEGV in the middle of a decoding is a refusal; the worker serves the next request."""
    with DecoderSandbox(workers=1) as pool:
        (worker,) = workers_of(pool)
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(pool.decode, SLOW, ppi=500)
            assert eventually(lambda: bool(children_of(worker)))
            os.kill(children_of(worker)[0], signal.SIGSEGV)
            with pytest.raises(UndecodableImage, match="cannot read it"):
                answer.result()
        np.testing.assert_array_equal(pool.decode(SEEDS["png"]).pixels, GREY)
        assert workers_of(pool) == [worker]
        assert pool.counts == {"done": 1, "crashed": 1}


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_lost_worker_is_replaced(blow: signal.Signals) -> None:
    """Killed or frozen while it works: one refusal, a new worker, no zombie."""
    limits = ImageLimits(wall_s=0.5, grace_s=0.5)
    with DecoderSandbox(workers=1, limits=limits) as pool:
        (worker,) = workers_of(pool)
        os.kill(worker, blow)
        with pytest.raises(UndecodableImage):
            pool.decode(SEEDS["png"])
        np.testing.assert_array_equal(pool.decode(SEEDS["png"]).pixels, GREY)
        assert workers_of(pool) != [worker]
        assert worker not in children_of(os.getpid())
        assert pool.counts["restarted"] == 1


def test_nothing_is_left_behind() -> None:
    """No process, no file descriptor, no thread after the pool is closed, twice."""
    before, threads = open_files(), threading.active_count()
    pool = DecoderSandbox(workers=2)
    workers = workers_of(pool)
    with contextlib.suppress(MalformedImage):
        pool.decode(SEEDS["wsq"][:900] + SEEDS["wsq"][1_200:])
    pool.close()
    pool.close()
    assert not set(workers) & set(children_of(os.getpid()))
    assert open_files() == before
    assert threading.active_count() == threads


def test_closed_pool_refuses() -> None:
    """Not with a hang, and not with the image's fault."""
    pool = DecoderSandbox(workers=1)
    pool.close()
    with pytest.raises(DecoderUnavailable, match="shut down"):
        pool.decode(SEEDS["png"])


def test_busy_pool_says_so() -> None:
    """A request waits its turn for so long, then it is told to come back."""
    with (
        DecoderSandbox(workers=1, limits=ImageLimits(queue_s=0.01)) as pool,
        ThreadPoolExecutor(1) as thread,
    ):
        (worker,) = workers_of(pool)
        running = thread.submit(pool.decode, SLOW, ppi=500)
        assert eventually(lambda: bool(children_of(worker)))
        with pytest.raises(DecoderUnavailable, match="busy"):
            pool.decode(SEEDS["png"])
        assert running.result().ppi == 500


def test_worker_that_cannot_start_is_not_the_images_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation is a 503, and heals when it is mended."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        pool = DecoderSandbox(workers=1)
        with pytest.raises(DecoderUnavailable, match="can be started"):
            pool.decode(SEEDS["png"])
    with pool, contextlib.suppress(DecoderUnavailable):
        pool.decode(SEEDS["png"])  # may still meet the worker that was started in the bad time
        assert pool.decode(SEEDS["png"]).ppi == 500


def test_workers_die_with_their_parent() -> None:
    """`kill -9` of the service leaves no decoder behind."""
    code = (
        "import sys, time\nfrom enrollment.sandbox import DecoderSandbox\n"
        "pool = DecoderSandbox(workers=2)\n"
        "for _ in '12': pool._free.get().result()\n"
        "print('up', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        workers = children_of(parent.pid)
        parent.kill()
    assert len(workers) == 2
    assert eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_worker_sees_no_environment() -> None:
    """Keys and addresses live in the environment; /proc shows what a worker was given."""
    with DecoderSandbox(workers=1) as pool:
        (worker,) = workers_of(pool)
        try:
            given = Path(f"/proc/{worker}/environ").read_text()
        except PermissionError:
            pytest.skip("the worker is not dumpable: only root may look")
    assert {line.partition("=")[0] for line in given.split("\0") if line} <= {
        "MALLOC_PERTURB_",
        "LD_LIBRARY_PATH",
    }
