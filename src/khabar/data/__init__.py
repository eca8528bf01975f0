"""Corpora: reading, splitting, checking."""
