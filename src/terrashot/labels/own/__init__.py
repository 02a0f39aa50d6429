"""From a user's own points, lines and polygons to a label of every chip."""
