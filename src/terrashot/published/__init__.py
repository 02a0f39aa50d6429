"""Embedding tables of other makers, brought into our form."""
