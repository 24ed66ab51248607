"""Who can help, when, and what they earn. Knows neither tickets nor dispatch."""
