"""Methods x datasets -> tables: metrics, readers of real datasets, baselines."""
