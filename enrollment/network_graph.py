"""The LEADER network as two ONNX graphs made for one CPU core: channels first, norms folded, heads sparse.

`trunk_graph`: picture → features at half resolution and the position map.
`heads_graph`: 9×9 patches of those features around the peaks → direction and type of each peak.
Both compute what the published Keras model computes (Cappelli and Ferrara, arXiv 2602.15493), regrouped:

* Centring and scale of a layer norm are linear, so they move into the weights of the convolution beside it.
* Where a block narrows, its last two 1×1 convolutions, with only an addition between them, become one.
* All of a head up to its last convolution works pixel by pixel, hence commutes with nearest up-sampling and
  runs at half resolution; the last 5×5 becomes four 3×3, one for each parity of the pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from enrollment.graph_nodes import Graph, as_1x1
from enrollment.parameters import PATCH
from enrollment.weights import Weights

#: Channels of the second encoder's and decoder's levels (top first), as published.
ENCODER = (32, 64, 128, 32)
DECODER = (20, 42, 91, 27)
#: Channels that onnxruntime's convolutions take at a time.
BLOCK = 8
#: Channels of the trunk's output with those that only fill blocks.
FEATURES = 56


def trunk_graph(weights: Weights) -> onnx.ModelProto:
    """picture: float32[1, 1, h, w], grey 0-255, sides multiples of 32.

    features: float32[1, 56, h/2, w/2]. position: float32[1, 1, h, w], probability of a minutia at each pixel.
    """
    graph = Graph()
    context = _context(graph, weights, _stem(graph, weights, "stem0", "MaxPool", "picture"))
    context = _attention(graph, weights, context)
    stem = _stem(graph, weights, "stem1", "AveragePool", "picture")
    x = graph.add("Concat", context, stem, axis=1)
    skips = []
    for level in range(4):
        x = _inverse_bottleneck(graph, weights, f"enc1_{level}", x, np.arange((64, 32, 64, 128)[level]))
        skips.append(x)
        x = _downsample(graph, x, ENCODER[level])
    places = np.arange(32)
    for level in reversed(range(4)):
        x = _inverse_bottleneck(graph, weights, f"dec1_{level}", x, places)
        output = "features" if level == 0 else None
        x = graph.add("Concat", graph.up(x), skips[level], axis=1, output=output)
        places = _places(level)
    head = _head(graph, weights, 0, x, None)
    parities, bias = _parity_kernels(*weights["head_conv_pos"])
    logits = graph.conv(head, parities, bias)
    graph.add("DepthToSpace", graph.add("Sigmoid", logits), blocksize=2, mode="CRD", output="position")
    return graph.model(
        {"picture": [1, 1, "h", "w"]},
        {"features": [1, FEATURES, "h2", "w2"], "position": [1, 1, "h", "w"]},
    )


def heads_graph(weights: Weights) -> onnx.ModelProto:
    """patches: float32[n, 56, 9, 9], features around n peaks, zero outside the picture.

    inside: float32[n, 1, 3, 3], 1 where the patch's middle lies in the picture, else 0.
    direction: float32[n, 8], (cosine, sine), not normalised, for each of the 4 parities of the peak's pixel,
    2·(y mod 2) + x mod 2. type: float32[n, 4], probability of a ridge ending for each parity.
    """
    graph = Graph()
    for number, name, output in ((1, "head_conv_dir", "direction"), (2, "head_conv_typ", "type")):
        head = graph.add("Mul", _head(graph, weights, number, "patches", PATCH // 3), "inside")
        parities, bias = _parity_kernels(*weights[name])
        values = graph.conv(head, parities, bias, padded=False)
        if output == "type":
            values = graph.add("Sigmoid", values)
        graph.add("Flatten", values, output=output)
    return graph.model(
        {"patches": ["n", FEATURES, PATCH, PATCH], "inside": ["n", 1, 3, 3]},
        {"direction": ["n", 8], "type": ["n", 4]},
    )


def _stem(graph: Graph, weights: Weights, name: str, pool: str, picture: str) -> str:
    plain, plain_bias = weights[f"{name}_conv"]
    dilated, dilated_bias = weights[f"{name}_dilated_conv"]
    gamma, beta = weights[f"{name}_ln"]
    count = len(gamma)
    # The norm's centring mixes both convolutions: each gives its share of all channels, the shares are added.
    mix = gamma[:, None] * _centring(count)
    half = count // 2
    first = np.einsum("oc,yxic->oiyx", mix[:, :half], plain)
    second = np.einsum("oc,yxic->oiyx", mix[:, half:], dilated)
    x = graph.add(
        "Add",
        graph.conv(picture, first, (mix @ np.concatenate([plain_bias, dilated_bias])).astype(np.float32)),
        graph.conv(picture, second, dilation=2),
    )
    return graph.pool(pool, graph.gelu(_normalise(graph, x, gamma, beta)))


def _context(graph: Graph, weights: Weights, x: str) -> str:
    skips = []
    for level in range(4):
        x = _separable(graph, weights, f"enc0_{level}", x)
        skips.append(x)
        x = _downsample(graph, x, (16, 32, 64, 128)[level])
    for level in reversed(range(4)):
        x = _separable(graph, weights, f"dec0_{level}", x)
        x = graph.add("Concat", graph.up(x), skips[level], axis=1)
    return x


def _attention(graph: Graph, weights: Weights, x: str) -> str:
    branches = []
    for dilation in (1, 3, 6):
        kernel, bias = weights[f"attention_conv_d{dilation}"]
        branches.append(graph.gelu(graph.conv(x, kernel.transpose(3, 2, 0, 1), bias, dilation=dilation)))
    kernel, bias = weights["attention_s"]
    gate = graph.add(
        "Sigmoid", graph.conv(graph.add("Concat", *branches, axis=1), as_1x1(kernel[0, 0].T), bias)
    )
    return graph.add("Mul", x, gate)


def _separable(graph: Graph, weights: Weights, name: str, x: str) -> str:
    depthwise, pointwise, bias = weights[f"{name}_conv"]
    gamma, beta = weights[f"{name}_ln"]
    mix = gamma[:, None] * _centring(len(gamma))
    x = graph.conv(x, depthwise.transpose(2, 3, 0, 1), groups=depthwise.shape[2])
    x = graph.conv(x, as_1x1(mix @ pointwise[0, 0].T), (mix @ bias).astype(np.float32))
    return graph.gelu(_normalise(graph, x, gamma, beta))


def _normalise(graph: Graph, x: str, gamma: NDArray[np.float32], beta: NDArray[np.float32]) -> str:
    """Finish a layer norm over x, which is centred and multiplied with gamma already."""
    square = graph.add("Mul", x, x)
    mean_square = graph.conv(square, as_1x1((1 / (len(gamma) * gamma.astype(np.float64) ** 2))[None, :]))
    x = graph.add("Mul", x, graph.reciprocal_deviation(mean_square, None))
    return graph.add("Add", x, graph.constant(beta.reshape(1, -1, 1, 1)))


def _places(level: int) -> NDArray[np.intp]:
    """Channels that carry something after the up-sampling of a level and its skip connection."""
    narrow, skip = DECODER[level], ENCODER[level]
    return np.concatenate([np.arange(narrow), _whole(narrow) + np.arange(skip)])


def _whole(channels: int) -> int:
    """The convolutions work on blocks of 8 channels; what is no multiple of 8 falls back to a slow path."""
    return -(-channels // BLOCK) * BLOCK


def _spread(values: NDArray[Any], places: NDArray[np.intp], axis: int) -> NDArray[Any]:
    """Put the slices of an axis at `places`, zeros between them, and round its length up to whole blocks."""
    shape = list(values.shape)
    shape[axis] = _whole(int(places[-1]) + 1)
    result = np.zeros(shape, dtype=values.dtype)
    result[(slice(None),) * axis + (places,)] = values
    return result


def _expand(
    graph: Graph, weights: Weights, name: str, x: str, places: NDArray[np.intp], *, padded: bool
) -> str:
    """Depthwise convolution, layer norm, expansion and GELU of an inverse bottleneck."""
    (depthwise,) = weights[f"{name}_depthwise_conv"]
    gamma, beta = weights[f"{name}_ln"]
    expansion, bias = weights[f"{name}_conv_exp"]
    kernel = _spread(depthwise.transpose(2, 3, 0, 1), places, 0)
    x = graph.conv(x, kernel, groups=len(kernel), padded=padded)
    average = as_1x1(_spread(np.full((1, len(gamma)), 1 / len(gamma)), places, 1))
    mean = graph.conv(x, average)
    mean_square = graph.conv(graph.add("Mul", x, x), average)
    x = graph.add("Mul", x, graph.reciprocal_deviation(mean_square, mean))
    matrix = expansion[0, 0].T
    mix = _spread((matrix * gamma) @ _centring(len(gamma)), places, 1)
    return graph.gelu(graph.conv(x, as_1x1(mix), matrix @ beta + bias))


def _inverse_bottleneck(graph: Graph, weights: Weights, name: str, x: str, places: NDArray[np.intp]) -> str:
    expanded = _expand(graph, weights, name, x, places, padded=True)
    reduction, reduction_bias = weights[f"{name}_conv_red"]
    adjustment, adjustment_bias = weights[f"{name}_conv_adj"]
    red, adj = reduction[0, 0].T, adjustment[0, 0].T
    rows = np.arange(len(adj))
    bias = _spread(adj @ reduction_bias + adjustment_bias, rows, 0)
    if len(adj) < adj.shape[1]:
        short = graph.conv(x, as_1x1(_spread(_spread(adj, places, 1), rows, 0)), bias)
        return graph.add("Add", graph.conv(expanded, as_1x1(_spread(adj @ red, rows, 0))), short)
    # Where the block widens, two steps are cheaper than one.
    total = graph.add("Add", graph.conv(expanded, as_1x1(_spread(red, places, 0))), x)
    return graph.conv(total, as_1x1(_spread(_spread(adj, places, 1), rows, 0)), bias)


def _head(graph: Graph, weights: Weights, number: int, x: str, middle: int | None) -> str:
    """One head up to its last convolution; with `middle`, x are patches, reduced to their middle 3×3."""
    name = f"head_{number}"
    places = _places(0)
    expanded = _expand(graph, weights, f"{name}_ibc", x, places, padded=middle is None)
    if middle is not None:
        edges = [np.array(value, dtype=np.int64) for value in ([middle] * 2, [middle + 3] * 2, [2, 3])]
        x = graph.add("Slice", x, *(graph.constant(edge) for edge in edges))
    reduction, reduction_bias = weights[f"{name}_ibc_conv_red"]
    adjustment, adjustment_bias = weights[f"{name}_ibc_conv_adj"]
    first, first_bias = weights[f"{name}_conv1"]
    gamma, beta = weights[f"{name}_ln"]
    second, second_bias = weights[f"{name}_conv2"]
    red, adj = reduction[0, 0].T, adjustment[0, 0].T
    mix = _centring(len(gamma)) @ first[0, 0].T
    bias = mix @ (adj @ reduction_bias + adjustment_bias) + _centring(len(gamma)) @ first_bias
    total = graph.add(
        "Add",
        graph.conv(expanded, as_1x1(mix @ adj @ red)),
        graph.conv(x, as_1x1(_spread(mix @ adj, places, 1)), bias),
    )
    ones = np.ones_like(gamma)
    total = _normalise(graph, total, ones, np.zeros_like(beta))
    matrix = second[0, 0].T
    return graph.gelu(graph.conv(total, as_1x1(matrix * gamma), matrix @ beta + second_bias))


def _downsample(graph: Graph, x: str, channels: int) -> str:
    first, second = graph.split(x, channels)
    return graph.add("Concat", graph.pool("MaxPool", first), graph.pool("AveragePool", second), axis=1)


def _parity_kernels(
    kernel: NDArray[np.float32], bias: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A 5×5 convolution after nearest up-sampling as 3×3 ones before it.

    kernel: [5, 5, in, out] → [out · 4, in, 3, 3], channel out · 4 + 2 · (y mod 2) + x mod 2.
    """
    channels, outputs = kernel.shape[2:]
    result = np.zeros((outputs, 2, 2, channels, 3, 3), dtype=np.float32)
    for parity_y, parity_x, y, x in np.ndindex(2, 2, 5, 5):
        row, column = (parity_y + y - 2) // 2 + 1, (parity_x + x - 2) // 2 + 1
        result[:, parity_y, parity_x, :, row, column] += kernel[y, x].T
    return result.reshape(outputs * 4, channels, 3, 3), np.repeat(bias, 4)


def _centring(count: int) -> NDArray[np.float64]:
    """The matrix that subtracts the mean of `count` channels."""
    return np.eye(count) - 1 / count
