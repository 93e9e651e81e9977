"""The shared vocabulary: values, events and errors. The standard library only."""
