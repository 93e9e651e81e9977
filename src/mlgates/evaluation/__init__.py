"""The border that rows and predictions cross before anything is judged: typed, checked once, whatever the task."""
