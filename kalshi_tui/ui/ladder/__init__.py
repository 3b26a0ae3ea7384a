"""The price ladder, and ladders side by side."""
