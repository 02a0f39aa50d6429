"""Weights that come with the package; what they have seen stands beside them."""
