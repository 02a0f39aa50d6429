"""Outlines in, chips out."""
