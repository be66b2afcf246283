"""One file per arrow of the walk; the only floor where the parts meet."""
