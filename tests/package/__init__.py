"""What is deployed, as it is made and as it runs."""
