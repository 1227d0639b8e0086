"""What strangers can put in front of the product: links, texts and secrets, by the hundreds."""
