"""One HTML file that opens without a server or a network."""
