"""Benchmarks of the node beside the physical limit of the same machine, measured in the same run.

One module answers one question: its `figures` measures and returns. `python -m bench`, which
`scripts/bench` calls, runs them and prints a table and JSON.
"""
