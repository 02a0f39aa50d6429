"""The simulated Earth: made-up imagery and labels of any chip, from its id alone. It says nothing about real land."""
