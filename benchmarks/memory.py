"""Most memory that the extraction of one picture takes, in a process of its own.

    python -m benchmarks.memory

The largest accepted picture (four million pixels) with the largest print, a rolled finger that fills its box;
the same on glass so grainy that its ridges have to be looked for; a plain one; and four million pixels of
ridges, which no finger leaves. Resident set, in MiB: when the network is loaded, and the peak.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.capture import Capture, FailureToAcquire, FingerprintImage
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from matcher.codes import FingerPosition, ImpressionType

#: Width and height of the picture, of the ridges in it, and the grain's deviation in grey levels.
KINDS: Final = {
    "plain": ((368, 448), (240, 350), 0.0),
    "rolled, largest": ((2000, 2000), (790, 720), 0.0),
    "all ridges": ((2000, 2000), (2000, 2000), 0.0),
    "grainy, largest": ((2000, 2000), (790, 720), 25.0),
}
_PERIOD_PX: Final = 9.0


def picture(size: tuple[int, int], print_px: tuple[int, int], grain: float) -> NDArray[np.uint8]:
    """Concentric ridges in the middle of a light ground."""
    (width, height), (wide, tall) = size, print_px
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ridges = 127 + 100 * np.sin(np.hypot(x - width / 2, y - 0.6 * height) * (2 * np.pi / _PERIOD_PX))
    inside = (np.abs(x - width / 2) <= wide / 2) & (np.abs(y - height / 2) <= tall / 2)
    noise = np.random.default_rng(1).normal(0.0, grain, inside.shape)
    return np.asarray(np.clip(np.where(inside, ridges, 250) + noise, 0, 255), dtype=np.uint8)


def peak_of(kind: str) -> tuple[float, float, str]:
    """(MiB when the network is loaded, MiB at the peak, outcome) of extracting a picture of `KINDS`."""
    pixels = picture(*KINDS[kind])
    command = [sys.executable, "-m", "benchmarks.memory", *map(str, pixels.shape)]
    answer = subprocess.run(command, input=pixels.tobytes(), capture_output=True, check=True).stdout
    before, peak, outcome = answer.decode().split()
    return float(before), float(peak), outcome


def measure(height: int, width: int) -> tuple[float, float, str]:
    """The same in this process, of pixels from standard input."""
    cv2.setNumThreads(1)
    network = MinutiaeNetwork.load()
    pixels = np.frombuffer(sys.stdin.buffer.read(), dtype=np.uint8).reshape(height, width)
    capture = Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_ROLLED, FingerprintImage(pixels, 500))
    before = _peak_mib()
    outcome = extract(capture, network)
    told = outcome.reason.value if isinstance(outcome, FailureToAcquire) else "template"
    return before, _peak_mib(), told


def _peak_mib() -> float:
    """Not `getrusage`, which hands a parent's peak on to its children."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Print each kind's memory; with a picture's height and width measure that of the standard input."""
    if len(sys.argv) == 3:
        print(*measure(int(sys.argv[1]), int(sys.argv[2])))
        return
    for kind, (size, *_) in KINDS.items():
        before, peak, outcome = peak_of(kind)
        print(f"{kind:16} {size[0]} x {size[1]}: {before:.0f} MiB loaded, {peak:.0f} MiB peak ({outcome})")


if __name__ == "__main__":
    main()
