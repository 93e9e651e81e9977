"""A build: all that training and delivery need, in one archive that tells what is in it and whether it was changed."""
