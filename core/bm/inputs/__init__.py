"""What a plan is made from: both versions, what the live database is like, and what people answered."""
