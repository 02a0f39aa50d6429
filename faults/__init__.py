"""What goes wrong, done on purpose: every fault is seeded, counted, and judged by what is left afterwards."""
