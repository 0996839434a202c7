"""Previews of attached images: decoded and encoded again in their own process."""
