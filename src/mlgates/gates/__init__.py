"""Gates: what is declared in mlops/gates.yml, held against evidence; each check decides on values and does no I/O."""
