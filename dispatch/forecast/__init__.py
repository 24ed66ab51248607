"""What will come, and how many people that takes. Pure: arrays in, arrays out; dispatch/forecasting.py brings the tickets."""
