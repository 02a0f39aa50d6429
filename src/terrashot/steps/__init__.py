"""One module per composed job: the steps of `run`, and the other commands."""
