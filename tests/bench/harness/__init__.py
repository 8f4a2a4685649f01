"""What the benchmarks share: servers, load, alternating rounds, figures with their targets, and the report."""
