"""Benchmarks and soaks, run for a moment so that they keep working."""
