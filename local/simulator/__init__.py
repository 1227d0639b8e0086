"""An HTTP(S) stand-in for Azure Resource Manager that unpatched SDKs, `az` and other tools drive; never deployed."""
