"""The judges, judged: a whole world that they accept, and for each promise worlds with one break that they must see."""
