#!/bin/sh
# Puts the package on every app, then subscribes to events: Event Grid delivers to no function that is not there yet.
# azd runs it after provisioning, with the outputs of main.bicep in the environment. Safe to repeat.
set -eu

cd "$(dirname "$0")/../.."
: "${INSTALLATION_GROUP:?run azd provision first}" "${INSTALLATION_APPS:?}" "${INSTALLATION_KEEPER:?}" "${AzureWebJobsStorage__accountName:?}"
: "${EVENT_SOURCES:?}" "${EVENT_DELIVERY:?}" "${AZURE_LOCATION:?}" "${AZURE_SUBSCRIPTION_ID:?}"
: "${EXISTING_TOPICS:?}" "${TOPIC_GROUP:?}"

make package EXTRAS="${PACKAGE_EXTRAS:-}"

# azd writes a list as JSON; names of apps contain no character that JSON escapes.
for app in $(printf '%s' "$INSTALLATION_APPS" | tr -d '[]" ' | tr ',' ' '); do
    echo "deploying to $app"
    az functionapp deployment source config-zip --subscription "$AZURE_SUBSCRIPTION_ID" \
        --resource-group "$INSTALLATION_GROUP" --name "$app" --src dist/tagback.zip
done

if [ "$EVENT_DELIVERY" = function ]; then
    tries=0
    until az functionapp function show --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$INSTALLATION_GROUP" \
        --name "$INSTALLATION_KEEPER" --function-name on_resource_event --output none 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || { echo "the function on_resource_event does not show on $INSTALLATION_KEEPER" >&2; exit 1; }
        sleep 10
    done
fi

az deployment sub create --subscription "$AZURE_SUBSCRIPTION_ID" --location "$AZURE_LOCATION" --name tagback-events \
    --template-file infra/events.bicep --output none --parameters \
    installation="$AzureWebJobsStorage__accountName" group="$INSTALLATION_GROUP" keeper="$INSTALLATION_KEEPER" \
    delivery="$EVENT_DELIVERY" location="$AZURE_LOCATION" sources="$EVENT_SOURCES" \
    existingTopics="$EXISTING_TOPICS" topicGroup="$TOPIC_GROUP"
echo "events of $EVENT_SOURCES are subscribed to"
