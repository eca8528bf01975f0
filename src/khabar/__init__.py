"""Reads events and stances out of Arabic news."""
