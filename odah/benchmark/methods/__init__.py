"""The methods of the benchmark; each has the interface `odah.benchmark.method.Method`."""
