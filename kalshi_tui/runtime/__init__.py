"""What a run is put together from: settings, profiles, credentials, logs, hardening, launch, doctor."""
