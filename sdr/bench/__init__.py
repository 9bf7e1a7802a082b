"""Benchmarks that come with the program; long sweeps and kept results are in ``benchmarks/``."""
