"""Pixels and labels that Google Earth Engine computes: what is asked of it, and what is made of its answers."""
