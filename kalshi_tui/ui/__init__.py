"""The screens. They read the store and call the session; they never see the protocol."""
