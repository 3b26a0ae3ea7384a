"""What the practice exchange keeps on disk: accounts, keys, and the note by which it is found."""
