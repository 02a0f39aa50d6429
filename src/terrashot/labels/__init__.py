"""From reference maps and a user's own data to a label of every chip."""
