"""The domain: what to measure, what it means, units, intervals, provenance. Pure: no I/O, clock, log or setting."""
