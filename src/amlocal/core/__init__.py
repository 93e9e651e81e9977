"""What every API of the workspace shares: values, wire conventions, storage. Imports none of them."""
