"""The LEADER network as two ONNX graphs made for one CPU core: channels first, norms folded, heads sparse.

`trunk_graph`: picture → features at half resolution and the position map.
`heads_graph`: 9×9 patches of those features around the peaks → direction and type of each peak.
Both compute what the published Keras model computes (Cappelli and Ferrara, arXiv 2602.15493), regrouped:

* Centring and scale of a layer norm are linear, so they move into the weights of the convolution beside it.
* Where a block narrows, its last two 1×1 convolutions have nothing but an addition between them: they become one.
* Everything in a head up to its last convolution works pixel by pixel, hence commutes with nearest up-sampling
  and runs at half resolution; the last 5×5 becomes four 3×3, one for each parity of the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from enrollment.weights import Weights

#: Bump when the graphs change: cached ones of another version are rebuilt.
BUILDER_VERSION = 1
OPSET = 20
#: Keras's default for LayerNormalization.
EPSILON = 1e-3
#: A peak's direction and type depend on this many half-resolution features in each direction.
PATCH = 9


@dataclass
class _Graph:
    """Nodes and weights under construction; every method adds a node and returns its output's name."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, value: NDArray[Any]) -> str:
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def conv(
        self,
        x: str,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32] | None = None,
        *,
        dilation: int = 1,
        groups: int = 1,
        padded: bool = True,
    ) -> str:
        """kernel: [out, in / groups, k, k], zero padding that keeps the size."""
        margin = dilation * (kernel.shape[2] // 2) if padded else 0
        inputs = [x, self.constant(kernel.astype(np.float32))]
        if bias is not None:
            inputs.append(self.constant(bias.astype(np.float32)))
        return self.add(
            "Conv",
            *inputs,
            kernel_shape=kernel.shape[2:],
            pads=[margin] * 4,
            dilations=[dilation] * 2,
            group=groups,
        )

    def pool(self, operator: str, x: str) -> str:
        return self.add(operator, x, kernel_shape=[2, 2], strides=[2, 2])

    def gelu(self, x: str) -> str:
        return self.add("Gelu", x, approximate="none")

    def up(self, x: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2], dtype=np.float32))
        return self.add(
            "Resize", x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        )

    def split(self, x: str, channels: int) -> tuple[str, str]:
        sizes = self.constant(np.array([channels // 2, channels - channels // 2], dtype=np.int64))
        first, second = f"{x}_a", f"{x}_b"
        self.nodes.append(helper.make_node("Split", [x, sizes], [first, second], axis=1))
        return first, second

    def reciprocal_deviation(self, mean_square: str, mean: str | None) -> str:
        """1 / sqrt(variance + epsilon) from the moments over the channels."""
        variance = mean_square
        if mean is not None:
            variance = self.add("Sub", mean_square, self.add("Mul", mean, mean))
        shifted = self.add("Add", variance, self.constant(np.array(EPSILON, dtype=np.float32)))
        return self.add("Reciprocal", self.add("Sqrt", shifted))

    def model(self, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> onnx.ModelProto:
        def describe(values: dict[str, list[Any]]) -> list[onnx.ValueInfoProto]:
            return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in values.items()]

        graph = helper.make_graph(self.nodes, "leader", describe(inputs), describe(outputs), self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        return model


def trunk_graph(weights: Weights) -> onnx.ModelProto:
    """picture: float32[1, 1, h, w], grey 0-255, sides multiples of 32.

    features: float32[1, 52, h/2, w/2]. position: float32[1, 1, h, w], probability of a minutia at each pixel.
    """
    graph = _Graph()
    context = _context(graph, weights, _stem(graph, weights, "stem0", "MaxPool", "picture"))
    context = _attention(graph, weights, context)
    stem = _stem(graph, weights, "stem1", "AveragePool", "picture")
    x = graph.add("Concat", context, stem, axis=1)
    skips = []
    for level in range(4):
        x = _inverse_bottleneck(graph, weights, f"enc1_{level}", x)
        skips.append(x)
        x = _downsample(graph, x, (32, 64, 128, 32)[level])
    for level in reversed(range(4)):
        x = _inverse_bottleneck(graph, weights, f"dec1_{level}", x)
        output = "features" if level == 0 else None
        x = graph.add("Concat", graph.up(x), skips[level], axis=1, output=output)
    head = _head(graph, weights, 0, x, None)
    parities, bias = _parity_kernels(*weights["head_conv_pos"])
    logits = graph.conv(head, parities, bias)
    graph.add("DepthToSpace", graph.add("Sigmoid", logits), blocksize=2, mode="CRD", output="position")
    return graph.model(
        {"picture": [1, 1, "h", "w"]},
        {"features": [1, 52, "h2", "w2"], "position": [1, 1, "h", "w"]},
    )


def heads_graph(weights: Weights) -> onnx.ModelProto:
    """patches: float32[n, 52, 9, 9], features around n peaks, zero outside the picture.

    inside: float32[n, 1, 3, 3], 1 where the patch's middle lies in the picture, else 0.
    direction: float32[n, 8], (cosine, sine) not normalised × 4 parities; type: float32[n, 4], probability of a
    ridge ending for each parity (2·(y mod 2) + x mod 2 of the peak).
    """
    graph = _Graph()
    for number, name, output in ((1, "head_conv_dir", "direction"), (2, "head_conv_typ", "type")):
        head = graph.add("Mul", _head(graph, weights, number, "patches", PATCH // 3), "inside")
        parities, bias = _parity_kernels(*weights[name])
        values = graph.conv(head, parities, bias, padded=False)
        if output == "type":
            values = graph.add("Sigmoid", values)
        graph.add("Flatten", values, output=output)
    return graph.model(
        {"patches": ["n", 52, PATCH, PATCH], "inside": ["n", 1, 3, 3]},
        {"direction": ["n", 8], "type": ["n", 4]},
    )


def _stem(graph: _Graph, weights: Weights, name: str, pool: str, picture: str) -> str:
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
        graph.conv(picture, first, mix @ np.concatenate([plain_bias, dilated_bias])),
        graph.conv(picture, second, dilation=2),
    )
    return graph.pool(pool, graph.gelu(_normalise(graph, x, gamma, beta)))


def _context(graph: _Graph, weights: Weights, x: str) -> str:
    skips = []
    for level in range(4):
        x = _separable(graph, weights, f"enc0_{level}", x)
        skips.append(x)
        x = _downsample(graph, x, (16, 32, 64, 128)[level])
    for level in reversed(range(4)):
        x = _separable(graph, weights, f"dec0_{level}", x)
        x = graph.add("Concat", graph.up(x), skips[level], axis=1)
    return x


def _attention(graph: _Graph, weights: Weights, x: str) -> str:
    branches = []
    for dilation in (1, 3, 6):
        kernel, bias = weights[f"attention_conv_d{dilation}"]
        branches.append(graph.gelu(graph.conv(x, kernel.transpose(3, 2, 0, 1), bias, dilation=dilation)))
    kernel, bias = weights["attention_s"]
    gate = graph.add("Sigmoid", graph.conv(graph.add("Concat", *branches, axis=1), _as_1x1(kernel[0, 0].T), bias))
    return graph.add("Mul", x, gate)


def _separable(graph: _Graph, weights: Weights, name: str, x: str) -> str:
    depthwise, pointwise, bias = weights[f"{name}_conv"]
    gamma, beta = weights[f"{name}_ln"]
    mix = gamma[:, None] * _centring(len(gamma))
    x = graph.conv(x, depthwise.transpose(2, 3, 0, 1), groups=depthwise.shape[2])
    x = graph.conv(x, _as_1x1(mix @ pointwise[0, 0].T), mix @ bias)
    return graph.gelu(_normalise(graph, x, gamma, beta))


def _normalise(graph: _Graph, x: str, gamma: NDArray[np.float32], beta: NDArray[np.float32]) -> str:
    """Finish a layer norm over x, which is centred and multiplied with gamma already."""
    square = graph.add("Mul", x, x)
    mean_square = graph.conv(square, _as_1x1((1 / (len(gamma) * gamma.astype(np.float64) ** 2))[None, :]))
    x = graph.add("Mul", x, graph.reciprocal_deviation(mean_square, None))
    return graph.add("Add", x, graph.constant(beta.reshape(1, -1, 1, 1)))


def _expand(graph: _Graph, weights: Weights, name: str, x: str, *, padded: bool) -> str:
    """Depthwise convolution, layer norm, expansion and GELU of an inverse bottleneck."""
    (depthwise,) = weights[f"{name}_depthwise_conv"]
    gamma, beta = weights[f"{name}_ln"]
    expansion, bias = weights[f"{name}_conv_exp"]
    channels = len(gamma)
    x = graph.conv(x, depthwise.transpose(2, 3, 0, 1), groups=channels, padded=padded)
    average = _as_1x1(np.full((1, channels), 1 / channels))
    mean = graph.conv(x, average)
    mean_square = graph.conv(graph.add("Mul", x, x), average)
    x = graph.add("Mul", x, graph.reciprocal_deviation(mean_square, mean))
    matrix = expansion[0, 0].T
    mix = (matrix * gamma) @ _centring(channels)
    return graph.gelu(graph.conv(x, _as_1x1(mix), matrix @ beta + bias))


def _inverse_bottleneck(graph: _Graph, weights: Weights, name: str, x: str) -> str:
    expanded = _expand(graph, weights, name, x, padded=True)
    reduction, reduction_bias = weights[f"{name}_conv_red"]
    adjustment, adjustment_bias = weights[f"{name}_conv_adj"]
    red, adj = reduction[0, 0].T, adjustment[0, 0].T
    wide, narrow = 4 * adj.shape[1], adj.shape[0]
    if wide * narrow < wide * adj.shape[1]:
        shortcut = graph.conv(x, _as_1x1(adj), adj @ reduction_bias + adjustment_bias)
        return graph.add("Add", graph.conv(expanded, _as_1x1(adj @ red)), shortcut)
    total = graph.add("Add", graph.conv(expanded, _as_1x1(red), reduction_bias), x)
    return graph.conv(total, _as_1x1(adj), adjustment_bias)


def _head(graph: _Graph, weights: Weights, number: int, x: str, middle: int | None) -> str:
    """One head up to its last convolution; with `middle` x are patches and only their middle 3×3 is computed."""
    name = f"head_{number}"
    expanded = _expand(graph, weights, f"{name}_ibc", x, padded=middle is None)
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
        "Add", graph.conv(expanded, _as_1x1(mix @ adj @ red)), graph.conv(x, _as_1x1(mix @ adj), bias)
    )
    ones = np.ones_like(gamma)
    total = _normalise(graph, total, ones, np.zeros_like(beta))
    matrix = second[0, 0].T
    return graph.gelu(graph.conv(total, _as_1x1(matrix * gamma), matrix @ beta + second_bias))


def _downsample(graph: _Graph, x: str, channels: int) -> str:
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


def _as_1x1(matrix: NDArray[Any]) -> NDArray[np.float32]:
    return matrix.astype(np.float32)[:, :, None, None]
