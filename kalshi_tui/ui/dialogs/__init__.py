"""Small screens over the desk: questions, help, welcome."""
