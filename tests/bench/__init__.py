"""What `make bench` measures of the product alone, without a stack: programs that it starts as processes."""
