"""How sure a curve is: intervals over draws and test blocks, and what follows from two curves beside each other."""
