"""One image file, read within limits."""
