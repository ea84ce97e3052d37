"""Container images on disk: their layers unpacked once each, and the root file systems that are laid of them.

Trusts no layer. Does not know registries (whoever pulls brings files), AWS's wording, or sandboxes.
"""
