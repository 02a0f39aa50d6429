"""Learning from few labels: draws, scores, the protocol. No torch."""
