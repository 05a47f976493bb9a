"""How samples enter and leave the node: two transports with one contract.

`fastdds` is the embedded one: `endpoints` reads and writes topics, `rpc` serves main's
configuration service, `news` wakes who waits, `binding` loads the extension. `sustainml` runs on
the library of a SustainML workspace. `choice` says which of the two a node takes.
"""
