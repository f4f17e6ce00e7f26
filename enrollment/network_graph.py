"""The LEADER network as ONNX graphs made for one CPU core.

All compute what the published Keras model computes (Cappelli and Ferrara, arXiv 2602.15493), regrouped:

* Centring and scale of a layer norm are linear, so they move into the weights of the convolution beside it.
* Where a block narrows, its last two 1×1 convolutions, with only an addition between them, become one.
* Four blocks that narrow do two thirds of the network's arithmetic, each pixel by itself. They are cut out as
  `mixers`, which run on rows of pixels [n, channels], as many at a time as the processor's cache holds.
* All of a head up to its last convolution works pixel by pixel, hence commutes with nearest up-sampling and
  runs at half resolution; the last 5×5 becomes four 3×3, one for each parity of the pixel.
* The largest of them, at half resolution, has no graph around it: loops make what it reads and halve what it
  gives (`trunk`), where moving channels from one order to another took as long as computing.
* The position head is no graph: `position_head` runs it where a peak can be, around the last of the mixers.
* Direction and type are asked only at the peaks, of 9×9 patches of features.

Between the mixers run the `stages`. What mixer n gives is added to `short_n`, which the stage before it gives
along with the mixer's `rows`, float32[1, h, w, c]; the sum is `mixed_n`, float32[1, h, w, f].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from enrollment.graph_nodes import Graph, as_1x1
from enrollment.network_blocks import (
    ENCODER,
    attention,
    averaging,
    context,
    depthwise,
    depthwise_array,
    downsample,
    expanded,
    expansion,
    finish_head,
    inverse_bottleneck,
    narrowing,
    parity_kernels,
    position_arrays,
    stem_arrays,
)
from enrollment.network_parts import Parts
from enrollment.parameters import PATCH
from enrollment.weights import Weights

#: The blocks that are cut out, in the order in which they run.
MIXED = ("enc1_0", "dec1_1", "dec1_0", "head_0_ibc")


def build_parts(weights: Weights) -> Parts:
    """Graphs stage_0 … stage_2, short_0, widen_n and narrow_n for mixer n, heads; and arrays.

    Arrays: sizes_n, int64[2], channels wide and out; shares_n for `scale_rows`; bias_n,
    float32[wide], for `gelu_rows`; depthwise_0, float32[7, 7, 64]; those of the stems and of `position_head`.
    """
    stages = (_context, _to_second_mixer, _to_third_mixer)
    graphs = {f"stage_{number}": stage(weights) for number, stage in enumerate(stages)}
    graphs |= {"short_0": _short(weights, MIXED[0]), "heads": _heads(weights)}
    arrays: dict[str, NDArray[Any]] = {}
    for number, block in enumerate(MIXED):
        graphs[f"widen_{number}"] = _widen(weights, block)
        graphs[f"narrow_{number}"] = _narrow(weights, block)
        _, arrays[f"bias_{number}"] = expansion(weights, block)
        from_wide, _, _ = narrowing(weights, block)
        arrays[f"sizes_{number}"] = np.array(from_wide.shape[::-1])
        arrays[f"shares_{number}"] = averaging(weights, block)[0]
    arrays["depthwise_0"] = depthwise_array(weights, MIXED[0])
    for name in ("stem0", "stem1"):
        arrays |= {f"{name}_{part}": array for part, array in stem_arrays(weights, name).items()}
    arrays |= {f"position_{part}": array for part, array in position_arrays(weights, MIXED[-1]).items()}
    serialised = {
        name: np.frombuffer(graph.SerializeToString(), dtype=np.uint8) for name, graph in graphs.items()
    }
    return arrays | serialised


def _context(weights: Weights) -> onnx.ModelProto:
    """stem0: float32[1, 16, h/2, w/2], sides multiples of 16 → context, gate: float32[1, 32, h/2, w/2]."""
    graph = Graph()
    attention(graph, weights, context(graph, weights, "stem0", output="context"), output="gate")
    return graph.model({"stem0": 4}, {"context": 4, "gate": 4})


def _to_second_mixer(weights: Weights) -> onnx.ModelProto:
    """halved: float32[1, h/4, w/4, 32], what the first mixer gave, down-sampled."""
    graph = Graph()
    x = graph.add("Transpose", "halved", perm=[0, 3, 1, 2])
    skips = []
    for level in (1, 2, 3):
        skips.append(inverse_bottleneck(graph, weights, f"enc1_{level}", x, output=f"skip_{level}"))
        x = downsample(graph, skips[-1], ENCODER[level])
    for level in (3, 2):
        x = graph.up(inverse_bottleneck(graph, weights, f"dec1_{level}", x))
        x = graph.add("Concat", x, skips[level - 1], axis=1)
    _open_mixer(graph, weights, 1, x)
    return graph.model({"halved": 4}, {"rows": 4, "short_1": 4, "skip_1": 4})


def _to_third_mixer(weights: Weights) -> onnx.ModelProto:
    graph = Graph()
    x = graph.up(graph.add("Transpose", "mixed_1", perm=[0, 3, 1, 2]))
    _open_mixer(graph, weights, 2, graph.add("Concat", x, "skip_1", axis=1))
    return graph.model({"mixed_1": 4, "skip_1": 4}, {"rows": 4, "short_2": 4})


def _open_mixer(graph: Graph, weights: Weights, number: int, x: str) -> None:
    """What the block's mixer reads, pixel by pixel, and what its result is added to."""
    _, from_input, bias = narrowing(weights, MIXED[number])
    by_pixel = {"perm": [0, 2, 3, 1]}
    graph.add("Transpose", depthwise(graph, weights, MIXED[number], x), output="rows", **by_pixel)
    graph.add("Transpose", graph.conv(x, as_1x1(from_input), bias), output=f"short_{number}", **by_pixel)


def _short(weights: Weights, name: str) -> onnx.ModelProto:
    """seen: float32[n, channels], what a block reads → short: float32[n, out]."""
    graph = Graph()
    _, from_input, bias = narrowing(weights, name)
    graph.add("Gemm", "seen", graph.constant(from_input.T), graph.constant(bias), output="short")
    return graph.model({"seen": 2}, {"short": 2})


def _widen(weights: Weights, name: str) -> onnx.ModelProto:
    """rows: float32[n, channels], divided by their deviation → float32[n, wide], without the bias."""
    graph = Graph()
    matrix, _ = expansion(weights, name)
    graph.add("MatMul", "rows", graph.constant(matrix.T), output="wide")
    return graph.model({"rows": 2}, {"wide": 2})


def _narrow(weights: Weights, name: str) -> onnx.ModelProto:
    """wide: float32[n, wide] → mixed: float32[n, out]."""
    graph = Graph()
    from_wide, _, _ = narrowing(weights, name)
    graph.add("MatMul", "wide", graph.constant(from_wide.T), output="mixed")
    return graph.model({"wide": 2}, {"mixed": 2})


def _heads(weights: Weights) -> onnx.ModelProto:
    """patches: float32[n, 56, 9, 9], features around n peaks, zero outside the picture.

    inside: float32[n, 1, 3, 3], 1 where the patch's middle lies in the picture, else 0.
    direction: float32[n, 8], (cosine, sine), not normalised, for each of the 4 parities of the peak's pixel,
    2·(y mod 2) + x mod 2. type: float32[n, 4], probability of a ridge ending for each parity.
    """
    graph = Graph()
    edges = [np.array(values, dtype=np.int64) for values in ([PATCH // 3] * 2, [PATCH // 3 * 2] * 2, [2, 3])]
    middle = graph.add("Slice", "patches", *(graph.constant(edge) for edge in edges))
    for name, last, output in (("head_1", "head_conv_dir", "direction"), ("head_2", "head_conv_typ", "type")):
        from_wide, from_input, bias = narrowing(weights, f"{name}_ibc")
        wide = expanded(graph, weights, f"{name}_ibc", "patches", padded=False)
        total = graph.add(
            "Add", graph.conv(wide, as_1x1(from_wide)), graph.conv(middle, as_1x1(from_input), bias)
        )
        head = graph.add("Mul", finish_head(graph, weights, name, total), "inside")
        kernels, last_bias = parity_kernels(*weights[last])
        values = graph.conv(head, kernels, last_bias, padded=False)
        graph.add("Flatten", graph.add("Sigmoid", values) if output == "type" else values, output=output)
    return graph.model({"patches": 4, "inside": 4}, {"direction": 2, "type": 2})
