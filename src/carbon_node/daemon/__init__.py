"""The running node: what it is made of, how it starts, is watched and stops."""
