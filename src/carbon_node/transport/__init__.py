"""Ways for samples to enter and leave the node, behind one contract."""
