"""How the daemon shows what it does."""
