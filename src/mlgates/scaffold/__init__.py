"""How a repository is made from a table: what its columns are, what is drafted from them, and the template."""
