"""Small supervised heads on ready vectors; no torch."""
