"""The classifier and what surrounds it: encoders, windows, losses, bundles, export."""
