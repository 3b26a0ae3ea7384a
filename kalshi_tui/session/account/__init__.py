"""The account as the exchange has it: reconciliation, exchange hours, queue positions, settlements."""
