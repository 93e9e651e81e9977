"""Command jobs that really run: queue, snapshot, inputs, environment, process, outputs, history."""
