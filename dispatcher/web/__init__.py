"""The other door: what clients touch with a browser, and nobody needs an account for."""
