"""What a customer asks: tickets, their conversation and their numbered timeline. Knows neither agents nor dispatch."""
