"""One task from three samples to one published footprint."""
