"""Puts the training set in place: fetched, taken from a file that you name, or made up when neither is to be had."""
