"""Pixels from outside: sources, and their harvest into the chip store."""
