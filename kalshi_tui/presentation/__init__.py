"""Numbers, names and sentences as text, shared by screen and command line. No Textual."""
