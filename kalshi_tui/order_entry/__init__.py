"""What a person typed as prices, quantities and times; order drafts; prices chosen by a key. No Textual."""
