"""Torch modules; they know no files but their own weights."""
