"""The blocks of the LEADER network as ONNX nodes, its layer norms folded into its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from enrollment.graph_nodes import Graph, as_1x1
from enrollment.weights import Weights

#: Channels of the second encoder's and decoder's levels (top first), as published.
ENCODER = (32, 64, 128, 32)
DECODER = (20, 42, 91, 27)
#: Channels that onnxruntime's convolutions take at a time; what fills a block is zero.
BLOCK = 8


def stem_arrays(weights: Weights, name: str) -> dict[str, NDArray[np.float32]]:
    """What `network_kernels.stem` takes: filters, bias, gamma, beta."""
    convolutions = [weights[f"{name}_conv"], weights[f"{name}_dilated_conv"]]
    filters = np.stack([kernel[:, :, 0].transpose(2, 0, 1) for kernel, _ in convolutions])
    gamma, beta = weights[f"{name}_ln"]
    bias = np.concatenate([bias for _, bias in convolutions])
    return {"filters": np.ascontiguousarray(filters), "bias": bias, "gamma": gamma, "beta": beta}


def position_arrays(weights: Weights, name: str) -> dict[str, NDArray[np.float32]]:
    """What `position_head` takes of its block, its mixer apart.

    depthwise: float32[7, 7, c]. short, short_bias: float32[k, c] and [k], from the block's input.
    mix, mix_bias: float32[k, k] and [k], the second 1×1 with the norm's scale. last, last_bias:
    float32[3, 3, k, 4] and [4].
    """
    head = name.removesuffix("_ibc")
    _, short, short_bias = narrowing(weights, name)
    gamma, beta = weights[f"{head}_ln"]
    second, bias = weights[f"{head}_conv2"]
    matrix = second[0, 0].T
    last, last_bias = parity_kernels(*weights["head_conv_pos"])
    arrays = {
        "depthwise": depthwise_array(weights, name),
        "short": short,
        "short_bias": short_bias,
        "mix": matrix * gamma,
        "mix_bias": matrix @ beta + bias,
        "last": last.transpose(2, 3, 1, 0),
        "last_bias": last_bias,
    }
    return {part: np.ascontiguousarray(_single(array)) for part, array in arrays.items()}


def context(graph: Graph, weights: Weights, x: str, output: str) -> str:
    """The first encoder and decoder, separable convolutions only."""
    skips = []
    for level in range(4):
        x = _separable(graph, weights, f"enc0_{level}", x)
        skips.append(x)
        x = downsample(graph, x, (16, 32, 64, 128)[level])
    for level in reversed(range(4)):
        x = _separable(graph, weights, f"dec0_{level}", x)
        x = graph.add("Concat", graph.up(x), skips[level], axis=1, output=None if level else output)
    return x


def attention(graph: Graph, weights: Weights, x: str, output: str) -> None:
    """What the context is multiplied with: what three dilations see of it."""
    branches = []
    for dilation in (1, 3, 6):
        kernel, bias = weights[f"attention_conv_d{dilation}"]
        branches.append(graph.gelu(graph.conv(x, kernel.transpose(3, 2, 0, 1), bias, dilation=dilation)))
    kernel, bias = weights["attention_s"]
    gate = graph.conv(graph.add("Concat", *branches, axis=1), as_1x1(kernel[0, 0].T), bias)
    graph.add("Sigmoid", gate, output=output)


def _separable(graph: Graph, weights: Weights, name: str, x: str) -> str:
    depthwise, pointwise, bias = weights[f"{name}_conv"]
    gamma, beta = weights[f"{name}_ln"]
    mix = gamma[:, None] * centring(len(gamma))
    x = graph.conv(x, depthwise.transpose(2, 3, 0, 1), groups=depthwise.shape[2])
    x = graph.conv(x, as_1x1(mix @ pointwise[0, 0].T), mix @ bias)
    return graph.gelu(normalise(graph, x, gamma, beta))


def normalise(graph: Graph, x: str, gamma: NDArray[np.float32], beta: NDArray[np.float32]) -> str:
    """Finish a layer norm over x, which is centred and multiplied with gamma already."""
    square = graph.add("Mul", x, x)
    mean_square = graph.conv(square, as_1x1((1 / (len(gamma) * gamma.astype(np.float64) ** 2))[None, :]))
    x = graph.add("Mul", x, graph.reciprocal_deviation(mean_square, None))
    return graph.add("Add", x, graph.constant(beta.reshape(1, -1, 1, 1)))


def depthwise(graph: Graph, weights: Weights, name: str, x: str, *, padded: bool = True) -> str:
    """The 7×7 convolution, channel by channel, that opens an inverse bottleneck."""
    (kernel,) = weights[f"{name}_depthwise_conv"]
    spread_kernel = spread(kernel.transpose(2, 3, 0, 1), places_of(name), 0)
    return graph.conv(x, spread_kernel, groups=len(spread_kernel), padded=padded)


def depthwise_array(weights: Weights, name: str) -> NDArray[np.float32]:
    """The same convolution's taps as `depthwise.depthwise_of` takes them, float32[7, 7, c]."""
    (kernel,) = weights[f"{name}_depthwise_conv"]
    return np.ascontiguousarray(_single(spread(kernel[..., 0], places_of(name), 2)))


def expansion(weights: Weights, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Matrix [wide, channels] and bias of the 1×1 that widens, the norm's centring and scale folded in."""
    gamma, beta = weights[f"{name}_ln"]
    kernel, bias = weights[f"{name}_conv_exp"]
    matrix = kernel[0, 0].T
    mix = spread((matrix * gamma) @ centring(len(gamma)), places_of(name), 1)
    return mix.astype(np.float32), (matrix @ beta + bias).astype(np.float32)


def averaging(weights: Weights, name: str) -> NDArray[np.float32]:
    """The row [1, channels] that averages the channels which carry something."""
    count = len(weights[f"{name}_ln"][0])
    return spread(np.full((1, count), 1 / count), places_of(name), 1).astype(np.float32)


def expanded(graph: Graph, weights: Weights, name: str, x: str, *, padded: bool = True) -> str:
    """Depthwise convolution, layer norm, expansion and GELU of an inverse bottleneck."""
    x = depthwise(graph, weights, name, x, padded=padded)
    average = as_1x1(averaging(weights, name))
    mean, mean_square = graph.conv(x, average), graph.conv(graph.add("Mul", x, x), average)
    x = graph.add("Mul", x, graph.reciprocal_deviation(mean_square, mean))
    matrix, bias = expansion(weights, name)
    return graph.gelu(graph.conv(x, as_1x1(matrix), bias))


def inverse_bottleneck(graph: Graph, weights: Weights, name: str, x: str, output: str | None = None) -> str:
    """A whole block: widened, narrowed, added to its input, adjusted to its output channels."""
    wide = expanded(graph, weights, name, x)
    reduction, reduction_bias = weights[f"{name}_conv_red"]
    adjustment, bias = weights[f"{name}_conv_adj"]
    places, adj = places_of(name), adjustment[0, 0].T
    rows = np.arange(len(adj))
    total = graph.add(
        "Add",
        graph.conv(wide, as_1x1(spread(reduction[0, 0].T, places, 0)), spread(reduction_bias, places, 0)),
        x,
    )
    kernel = as_1x1(spread(spread(adj, places, 1), rows, 0))
    return graph.conv(total, kernel, spread(bias, rows, 0), output=output)


def narrowing(
    weights: Weights, name: str
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The end of a block that narrows: matrices [out, wide] and [out, channels] of its input, and bias [out].

    The last two 1×1 convolutions have only the addition of the input between them, so they are one; in a
    head the 1×1 convolution after them and the centring of its norm are in it too.
    """
    reduction, reduction_bias = weights[f"{name}_conv_red"]
    adjustment, bias = weights[f"{name}_conv_adj"]
    red, adj = reduction[0, 0].T, adjustment[0, 0].T
    bias = adj @ reduction_bias + bias
    rows = np.arange(len(adj))
    if name.startswith("head"):
        first, first_bias = weights[f"{name.removesuffix('_ibc')}_conv1"]
        mix = centring(len(first_bias)) @ first[0, 0].T
        adj, bias = mix @ adj, mix @ bias + centring(len(first_bias)) @ first_bias
        return _single(adj @ red), _single(spread(adj, places_of(name), 1)), _single(bias)
    wide, narrow = spread(adj @ red, rows, 0), spread(spread(adj, places_of(name), 1), rows, 0)
    return _single(wide), _single(narrow), _single(spread(bias, rows, 0))


def _single(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def finish_head(graph: Graph, weights: Weights, name: str, x: str) -> str:
    """Norm and second 1×1 convolution of a head, from what `narrowing` made."""
    gamma, beta = weights[f"{name}_ln"]
    second, bias = weights[f"{name}_conv2"]
    x = normalise(graph, x, np.ones_like(gamma), np.zeros_like(beta))
    matrix = second[0, 0].T
    return graph.gelu(graph.conv(x, as_1x1(matrix * gamma), matrix @ beta + bias))


def downsample(graph: Graph, x: str, channels: int) -> str:
    """Half of the channels by their maximum, the others by their mean."""
    first, second = graph.split(x, channels)
    return graph.add("Concat", graph.pool("MaxPool", first), graph.pool("AveragePool", second), axis=1)


def parity_kernels(
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


def places_of(name: str) -> NDArray[np.intp]:
    """Channels of a block's input that carry something: up-sampled ones fill whole blocks of 8."""
    if name.startswith("enc1"):
        return np.arange((64, *ENCODER[:3])[int(name[-1])])
    level = int(name[-1]) if name.startswith("dec1") else -1
    if level == 3:
        return np.arange(ENCODER[3])
    narrow, skip = DECODER[level + 1], ENCODER[level + 1]
    return np.concatenate([np.arange(narrow), whole(narrow) + np.arange(skip)])


def whole(channels: int) -> int:
    """Rounded up to whole blocks: other counts fall back to a slow path in onnxruntime."""
    return -(-channels // BLOCK) * BLOCK


def spread(values: NDArray[Any], places: NDArray[np.intp], axis: int) -> NDArray[Any]:
    """Put the slices of an axis at `places`, zeros between them, and round its length up to whole blocks."""
    shape = list(values.shape)
    shape[axis] = whole(int(places[-1]) + 1)
    result = np.zeros(shape, dtype=values.dtype)
    result[(slice(None),) * axis + (places,)] = values
    return result


def centring(count: int) -> NDArray[np.float64]:
    """The matrix that subtracts the mean of `count` channels."""
    return np.asarray(np.eye(count) - 1 / count)
