"""Write leader_keras.npz: what the published Keras model says about one synthetic picture.

Run it in an environment of its own, because the model needs Keras and PyTorch and this project does not:

    python -m venv keras-env
    keras-env/bin/pip install keras torch opencv-python-headless matplotlib scipy
    keras-env/bin/pip install --no-deps pyfing==0.7.3
    KERAS_BACKEND=torch keras-env/bin/python tests/golden/make_leader_golden.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from pyfing.minutiae_end_to_end import Leader

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "enrollment"))

from ridge_pictures import ridge_picture  # noqa: E402 - after the path

#: Pixels at which the whole position map is compared: every 3rd row and column sees all parities.
GRID = 3


def main() -> None:
    """Run the model on a noisy picture whose ridges reach its edges."""
    pixels = ridge_picture(224, 192, minutiae=12, seed=7, noise=12).pixels
    output = Leader().model(pixels[None, ..., None], training=False).detach().cpu().numpy()[0]
    position, direction, ending, smooth = np.moveaxis(output, -1, 0)
    y, x = np.nonzero(smooth >= 0.05)
    np.savez_compressed(
        HERE / "leader_keras.npz",
        pixels=pixels,
        position=position[::GRID, ::GRID],
        y=y.astype(np.int16),
        x=x.astype(np.int16),
        direction=direction[y, x],
        ending=ending[y, x],
        probability=smooth[y, x],
    )
    print(f"{len(y)} peaks, {(smooth > 0.2).sum()} of at least 0.2")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
