"""The wallboard of team leads: counted half hours, figures, their drawing, and the socket that brings them."""
