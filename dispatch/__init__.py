"""Who gets what, and the work on it. The only app that knows tickets and agents."""
