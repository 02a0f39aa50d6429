"""What goes wrong, done on purpose: every fault is seeded, counted, and judged by what is left afterwards."""

import os

# Before anything imports a library that counts cores: a forked child has none of its parent's threads.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))
