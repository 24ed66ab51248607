"""The agents' page of rights, one file a matter."""
