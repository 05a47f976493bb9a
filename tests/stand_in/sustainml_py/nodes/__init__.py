"""Nodes of the stand-in."""
