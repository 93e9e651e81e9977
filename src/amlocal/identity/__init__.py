"""Who may call: tokens, the certificate authority, the cloud's metadata."""
