"""Benchmarks: each runs both sides in one run and gives ratios; `python -m benchmarks` runs all."""
