"""`make demo`: a small fleet, protected for real in jumping time, then judged by means of its own."""
