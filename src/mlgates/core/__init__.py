"""The shared vocabulary: values, progress and errors. The standard library only."""
