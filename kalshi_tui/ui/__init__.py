"""The screens. They read the store and call the session, and never see the protocol."""
