"""Makes what is deployed: the product with its wheels and bytecode, the same bytes every time."""
