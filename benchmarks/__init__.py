"""Benchmarks of lgckpt beside the official savers and serializer: `python -m benchmarks`."""
