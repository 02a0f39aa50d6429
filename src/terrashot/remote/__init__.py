"""The outside world within limits: what catalogues say, and how they are asked."""
