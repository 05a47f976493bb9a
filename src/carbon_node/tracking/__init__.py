"""CarbonTracker in guarded child processes."""
