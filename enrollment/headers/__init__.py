"""Bounded readers of image headers in plain Python, one module per format.

Each `read(data) -> Header` walks the container structure, never the compressed pixels; it ends after a
bounded number of steps and raises only leaves of `enrollment.errors.MalformedImage`.
"""
