"""`python -m terrashot`, which is also what `torchrun -m terrashot` starts."""

from terrashot.cli import main

main()
