"""Pages. Every view that shows or changes something of somebody looks it up through its owner."""
