"""Text that a person or a file gave, made safe to write to a terminal or a log."""


def escape_unprintable(text: str) -> str:
    r"""Write each character that does not print, line ends included, as Python does: ``\x1b``, ``\u202e``.

    A setting's name, an option or a path may hold the escapes of a terminal: written as they are they would move the
    cursor, change colors or look like a further line.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
