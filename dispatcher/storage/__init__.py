"""Where everything is kept: one module per table family; SQL lives here and nowhere else."""
