"""How long a test waits for what has to happen."""

PATIENCE_S = 120.0
"""Bounds a hang and nothing else: what works is waited for until it has happened, however busy the
machine is. How quickly it happens is a question for `bench`."""
