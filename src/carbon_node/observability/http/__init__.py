"""The local HTTP interface: what the node does, for people, probes and Prometheus. Read-only."""
