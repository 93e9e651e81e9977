"""What every face of the workspace shares: values, wire conventions, storage. Imports no face."""
