"""Scores of one fit on the test chips."""
