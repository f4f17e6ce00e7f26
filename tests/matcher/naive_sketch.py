"""Slow, obvious twins of the shortlist's kernels."""

from __future__ import annotations

import numpy as np


def pool(
    descriptors: np.ndarray, weights: np.ndarray, centres: np.ndarray, temperature: float, power: float
) -> np.ndarray:
    """`matcher.kernels_sketch.pool_descriptors`, in double precision."""
    pooled = np.zeros(centres.shape)
    for descriptor, weight in zip(descriptors.astype(float), weights.astype(float), strict=True):
        length = np.sqrt((descriptor**2).sum())
        if length > 0.0:
            unit = descriptor / length
            shares = np.exp(centres @ unit / temperature)
            pooled += weight * (shares / shares.sum())[:, None] * (unit - centres)
    raised = np.sign(pooled) * np.abs(pooled) ** power
    length = np.sqrt((raised**2).sum())
    return (raised / length if length > 0.0 else raised).ravel()


def scan(
    look: np.ndarray, stored: np.ndarray, references: np.ndarray, allowed: np.ndarray, best: np.ndarray
) -> np.ndarray:
    """`matcher.kernels_sketch.scan_sketches`, into a copy."""
    best = best.copy()
    for row, reference in zip(stored, references, strict=True):
        if allowed[reference]:
            whole, *parts = (look.astype(int) @ row.astype(int)).tolist()
            best[reference] = max(best[reference], whole + max(parts, default=0))
    return best
