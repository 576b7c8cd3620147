"""The benchmark suite: ``python -m benchmarks``, or ``pytest benchmarks --benchmark-enable``."""
