"""Scores: matrices and weights in, numbers with intervals out."""
