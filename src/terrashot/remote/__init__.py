"""The outside world within limits: addresses, ranges of remote files, whole files, searches of catalogues, tokens."""
