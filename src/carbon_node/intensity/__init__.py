"""From the text of a place to its carbon intensity."""
