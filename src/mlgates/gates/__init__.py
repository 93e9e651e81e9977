"""Gates: what is declared in mlops/gates.yml, compared with evidence; each check decides on values and does no I/O."""
