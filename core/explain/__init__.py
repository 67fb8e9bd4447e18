"""Where a number comes from: terms, causes, transposes, paths, comparisons."""
