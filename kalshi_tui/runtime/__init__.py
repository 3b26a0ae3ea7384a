"""The parts of a run: settings, profiles, credentials, logs, hardening, launch, doctor."""
