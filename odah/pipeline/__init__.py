"""From a config or a recording to files: the only place where the stages meet."""
