"""Stands in for the library of a SustainML workspace, where none is installed."""
