"""The exchange's protocol, and nothing else: environments, signing, wire structs, REST, stream, errors."""
