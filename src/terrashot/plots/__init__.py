"""Finished numbers onto matplotlib axes; colour-blind safe, readable in black and white, units on every axis."""
