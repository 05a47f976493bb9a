"""The local interface: an HTTP API that shows the node to its operator."""
