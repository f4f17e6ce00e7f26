"""The weights of the LEADER minutiae network, read from the installed package of its authors.

Cappelli and Ferrara, "LEADER", arXiv 2602.15493 (2026); MIT licence, PyPI `pyfing`. The package itself is
never imported: it would start Keras. Only its weight file is found, checked and read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from enrollment.errors import UnusableWeights

PACKAGE = "pyfing"
PACKAGE_VERSION = "0.7.3"
FILE = "models/LEADER.weights.h5"
SHA256 = "0cbf12af936482d10ba54b23f40a9b192ab767df2f81bc96c5954585735fefe6"

#: Layer name of the published model → its arrays in Keras order (kernel first, then bias or beta).
Weights: TypeAlias = Mapping[str, tuple[NDArray[np.float32], ...]]

# The file numbers the layers of each class in the order in which Keras sorted the published model. The names
# are those of the model's source; heads interleave because their depths differ.
_BLOCKS = ("enc1_0", "enc1_1", "enc1_2", "enc1_3", "dec1_3", "dec1_2", "dec1_1", "dec1_0")
_SEPARABLE = ("enc0_0", "enc0_1", "enc0_2", "enc0_3", "dec0_3", "dec0_2", "dec0_1", "dec0_0")
_HEADS = ("head_0_ibc", "head_1_ibc", "head_2_ibc")
_ORDER: dict[str, tuple[str, ...]] = {
    "conv2d": (
        "stem0_conv",
        "stem0_dilated_conv",
        "stem1_conv",
        "stem1_dilated_conv",
        "attention_conv_d1",
        "attention_conv_d3",
        "attention_conv_d6",
        "attention_s",
        *(f"{block}_{part}" for block in _BLOCKS for part in ("conv_exp", "conv_red", "conv_adj")),
        "head_0_ibc_conv_exp",
        "head_0_ibc_conv_red",
        "head_1_ibc_conv_exp",
        "head_0_ibc_conv_adj",
        "head_1_ibc_conv_red",
        "head_2_ibc_conv_exp",
        "head_2_ibc_conv_red",
        "head_1_ibc_conv_adj",
        "head_0_conv1",
        "head_2_ibc_conv_adj",
        "head_0_conv2",
        "head_1_conv1",
        "head_conv_pos",
        "head_2_conv1",
        "head_1_conv2",
        "nms_gaussian_blur",
        "head_conv_dir",
        "head_2_conv2",
        "head_conv_typ",
    ),
    "separable_conv2d": tuple(f"{block}_conv" for block in _SEPARABLE),
    "depthwise_conv2d": tuple(f"{block}_depthwise_conv" for block in (*_BLOCKS, *_HEADS)),
    "layer_normalization": (
        "stem0_ln",
        *(f"{block}_ln" for block in _SEPARABLE),
        "stem1_ln",
        *(f"{block}_ln" for block in (*_BLOCKS, *_HEADS)),
        "head_0_ln",
        "head_1_ln",
        "head_2_ln",
    ),
}


def weights_path() -> Path:
    """Where the installed package keeps the weight file; the package is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UnusableWeights(f"the package {PACKAGE} is not installed; install {PACKAGE}=={PACKAGE_VERSION}")
    return Path(next(iter(spec.submodule_search_locations))) / FILE


def checked_bytes(path: Path | None = None) -> bytes:
    """The weight file's content, after its SHA-256 was compared with the pinned one."""
    path = path or weights_path()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableWeights(
            f"the weight file {FILE} of {PACKAGE} cannot be read; reinstall {PACKAGE}=={PACKAGE_VERSION}"
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise UnusableWeights(
            f"the weight file {FILE} is not the one of {PACKAGE} {PACKAGE_VERSION}; "
            f"reinstall {PACKAGE}=={PACKAGE_VERSION}"
        )
    return content


def read_weights(content: bytes) -> Weights:
    """All layers of the network, from the content of the checked weight file."""
    with h5py.File(io.BytesIO(content), "r") as file:
        return {
            name: _arrays(file, f"{layer}_{number}" if number else layer)
            for layer, names in _ORDER.items()
            for number, name in enumerate(names)
        }


def _arrays(file: h5py.File, layer: str) -> tuple[NDArray[np.float32], ...]:
    group = file[f"layers/{layer}/vars"]
    return tuple(np.asarray(group[str(number)], dtype=np.float32) for number in range(len(group)))
