"""Sphinx reads the Markdown pages of this folder."""

project = "mlgates"
extensions = ["myst_parser"]
html_theme = "alabaster"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
