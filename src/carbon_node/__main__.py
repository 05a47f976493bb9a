"""`python -m carbon_node`: the command line."""

from carbon_node.cli import main

main()
