"""Learning without labels: three towers that must agree about the same place."""
