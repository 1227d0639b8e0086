"""Other people's programs drive the simulator over HTTPS, unpatched: az, the Python SDKs, Cloud Custodian.

Run by `make test-clients`, never by `make test`: these programs are large and installed apart.
"""
