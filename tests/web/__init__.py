"""The API, called as a WSGI application over the twins."""
