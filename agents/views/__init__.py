"""Pages of people who apply, learn and wait for a decision. They work without JavaScript."""
