"""Chips as the authors of the paper publish them: the layout of geetiles and sartiles, and M3LEO's Parquet form of it."""
