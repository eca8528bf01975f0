"""One file per command: its configuration and what it does."""
