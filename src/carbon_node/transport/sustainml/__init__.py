"""The transport that runs on the `sustainml_py` library of a SustainML workspace."""
