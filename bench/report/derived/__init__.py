"""How a record looks in which nothing ran: every figure is a prediction, and most are ranges."""
