"""terrashot: from an outline on a map to an honest curve of accuracy against number of labels."""

__version__ = "0.1.0"
