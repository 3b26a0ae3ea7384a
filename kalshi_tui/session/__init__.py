"""The only mutable state of the program; knows no screen."""
