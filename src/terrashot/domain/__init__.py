"""Values and arithmetic: no files, no clocks, no torch."""
