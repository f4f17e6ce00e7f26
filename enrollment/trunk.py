"""The network from the picture to its features and the position map: graphs and compiled loops in turn.

Four wide blocks mix the channels of each pixel by itself, two thirds of all arithmetic. They run on rows of
pixels, as many at a time as the cache holds, and only near the foreground: what lies further out is as empty
to the network as what lies beyond the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from enrollment.network_kernels import STEM_MARGIN, gelu_rows, scale_rows, stem
from enrollment.network_parts import Parts
from enrollment.parameters import MIXED_MARGIN_PX

#: Bytes of widened rows worked on at a time: what a processor's second cache holds with room to spare.
TILE_BYTES = 1 << 20
#: Picture pixels to a side of one pixel of each mixer's level.
MIXER_STEPS = (2, 8, 4, 2)


class Trunk:
    """Loaded graphs; `run` may be called from several threads at once."""

    def __init__(self, parts: Parts, threads: int) -> None:
        stages = len(MIXER_STEPS) + 1
        self._stages = [session(parts[f"stage_{number}"], threads) for number in range(stages)]
        read = [{node.name for node in stage.get_inputs()} for stage in self._stages]
        read.append({"features", "position"})
        self._read_after = [set().union(*read[number + 1 :]) for number in range(stages)]
        self._mixers = [_Mixer(parts, number, threads) for number in range(len(MIXER_STEPS))]
        self._stems = {
            name: tuple(parts[f"{name}_{array}"] for array in ("filters", "bias", "gamma", "beta"))
            for name in ("stem0", "stem1")
        }

    def run(
        self, pixels: NDArray[np.uint8], foreground: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(features float32[56, h/2, w/2], position float32[h, w]) of uint8[h, w], sides multiples of 32.

        foreground: bool[h, w], where results are wanted; everywhere by default.
        """
        values: dict[str, NDArray[np.float32]] = {
            "stem0": self._run_stem("stem0", pixels, highest=True),
            "stem1": self._run_stem("stem1", pixels, highest=False),
        }
        for number, stage in enumerate(self._stages):
            made = _run(stage, values)
            if number < len(self._mixers):
                wanted = _reached(foreground, MIXER_STEPS[number])
                made["mixed"] = self._mixers[number].run(made.pop("rows"), wanted)
            values |= made
            del made
            # Each is a hundred times as large as the picture: none is kept that is not read again.
            values = {name: value for name, value in values.items() if name in self._read_after[number]}
        return values["features"][0], values["position"][0, 0]

    def _run_stem(self, name: str, pixels: NDArray[np.uint8], *, highest: bool) -> NDArray[np.float32]:
        filters, bias, gamma, beta = self._stems[name]
        height, width = pixels.shape
        result = np.empty((1, len(bias), height // 2, width // 2), dtype=np.float32)
        padded = np.pad(pixels.astype(np.float32), STEM_MARGIN)
        stem(padded, filters, bias, gamma, beta, highest, result[0])
        return result


class _Mixer:
    """Norm, expansion, GELU and narrowing of one block, on rows of pixels."""

    def __init__(self, parts: Parts, number: int, threads: int) -> None:
        self._widen = session(parts[f"widen_{number}"], threads)
        self._narrow = session(parts[f"narrow_{number}"], threads)
        self._shares = parts[f"shares_{number}"]
        wide, self._out = (int(size) for size in parts[f"sizes_{number}"])
        self._tile = max(TILE_BYTES // (4 * wide), 1)

    def run(self, rows: NDArray[np.float32], wanted: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        """float32[1, h, w, c] → float32[1, h, w, out], zero where not wanted (bool[h, w])."""
        _, height, width, channels = rows.shape
        flat = rows.reshape(-1, channels)
        index = np.arange(len(flat)) if wanted is None else np.flatnonzero(wanted)
        result = np.zeros((len(flat), self._out), dtype=np.float32)
        for start in range(0, len(index), self._tile):
            chosen = index[start : start + self._tile]
            scaled = np.empty((len(chosen), channels), dtype=np.float32)
            scale_rows(flat, chosen, self._shares, scaled)
            (wide,) = self._widen.run(None, {"rows": scaled})
            gelu_rows(wide)
            result[chosen] = self._narrow.run(None, {"wide": wide})[0]
        return result.reshape(1, height, width, self._out)


def _reached(foreground: NDArray[np.bool_] | None, step: int) -> NDArray[np.bool_] | None:
    """Pixels of a level that the foreground and its margin touch."""
    if foreground is None:
        return None
    side = 2 * MIXED_MARGIN_PX + 1
    near = cv2.dilate(foreground.astype(np.uint8), np.ones((side, side), dtype=np.uint8))
    height, width = foreground.shape
    cells = near.reshape(height // step, step, width // step, step)
    return np.asarray(cells.any(axis=(1, 3)), dtype=np.bool_)


def _run(
    stage: onnxruntime.InferenceSession, values: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    names = [output.name for output in stage.get_outputs()]
    inputs = {node.name: values[node.name] for node in stage.get_inputs()}
    return dict(zip(names, stage.run(None, inputs), strict=True))


def session(model: NDArray[Any], threads: int) -> onnxruntime.InferenceSession:
    """A graph, uint8[size], ready to run.

    All graphs take their memory from one arena: they run in turn, and an arena of each would keep what it
    needed most. No memory pattern, which would ask for the whole of it at once.
    """
    _share_arena()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.tobytes(), options, providers=["CPUExecutionProvider"])


@cache
def _share_arena() -> None:
    """Register the arena of this process, once."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    usual = {"arena_extend_strategy": 0, "initial_chunk_size_bytes": -1, "max_dead_bytes_per_chunk": -1}
    settings = onnxruntime.OrtArenaCfg({"max_mem": 0, **usual})
    onnxruntime.create_and_register_allocator(memory, settings)
