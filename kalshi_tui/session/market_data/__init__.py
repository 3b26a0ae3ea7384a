"""Markets as they are listed: terms, candles, sparklines, audits of books."""
