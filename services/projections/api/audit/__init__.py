"""What auditors judge: decisions by kind, the chain, and samples of incidents."""
