#!/bin/sh
# azd runs it before `azd down`, and it always refuses: that command deletes every resource group of the deployment, and the
# recovery groups with every snapshot in them are among those.
echo "azd down would delete the recovery groups with every recovery point in them." >&2
echo "To take the installation away and keep them, follow docs/deploy.md, 'Take it away'." >&2
exit 1
