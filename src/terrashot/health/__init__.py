"""Whether an embedding table can be trusted: what is measured of it, and a verdict on each measure."""
