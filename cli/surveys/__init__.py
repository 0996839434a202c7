"""`permanence surveys`: results, published and followed up."""
