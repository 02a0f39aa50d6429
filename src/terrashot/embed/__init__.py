"""Towers over a chip store: one vector a chip and modality, the floors beside them, two coordinates to look at."""
