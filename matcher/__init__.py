"""Numbers only: minutiae templates, 1:1 comparison, calibrated scores and 1:N search.

Knows nothing of files, people, clocks, databases or HTTP.
"""
