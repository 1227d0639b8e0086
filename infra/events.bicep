metadata description = 'Event subscriptions, deployed after the code: Event Grid delivers to no function that is not there yet.'

targetScope = 'subscription'

@description('Id of the installation: the name of its storage account.')
param installation string

@description('Group that the apps are in.')
param group string

@description('Name of the app that events are delivered to.')
param keeper string

@allowed(['function', 'queue'])
@description('function: Event Grid calls the app. queue: it writes to the queue events, as its own identity.')
param delivery string = 'function'

@description('Subscriptions that events come from.')
param sources string[]

@description('Names of system topics that exist already, by subscription id: Azure allows one for each source. A topic needs a system-assigned identity.')
param existingTopics object = {}

@description('Group of the system topics; made in every source subscription unless its topic exists. For existing topics it is the group that they are in.')
param topicGroup string = 'tagback-events'

@description('Region of that group; the topics themselves are global.')
param location string

@description('Tags of what is made here.')
param tags object = {}

module groups 'modules/recovery.bicep' = [for source in sources: if (!contains(existingTopics, source)) {
  name: 'tagback-event-group'
  scope: subscription(source)
  params: { name: topicGroup, region: location, tags: tags }
}]

module topics 'modules/system-topic.bicep' = [for source in sources: {
  name: 'tagback-system-topic'
  scope: resourceGroup(source, topicGroup)
  dependsOn: [groups]
  params: {
    name: existingTopics[?source] ?? 'evgst-${installation}'
    isNew: !contains(existingTopics, source)
    source: '/subscriptions/${source}'
    tags: tags
  }
}]

module mayDeliver 'modules/event-access.bicep' = [for (source, index) in sources: {
  name: 'tagback-event-access-${uniqueString(source)}'
  scope: resourceGroup(group)
  params: {
    storageName: installation
    principalId: topics[index].outputs.principalId
  }
}]

module subscriptions 'modules/event-subscription.bicep' = [for (source, index) in sources: {
  name: 'tagback-event-subscription'
  scope: resourceGroup(source, topicGroup)
  dependsOn: [mayDeliver]
  params: {
    topicName: topics[index].outputs.name
    delivery: delivery
    functionId: resourceId(subscription().subscriptionId, group, 'Microsoft.Web/sites/functions', keeper, 'on_resource_event')
    storageId: resourceId(subscription().subscriptionId, group, 'Microsoft.Storage/storageAccounts', installation)
  }
}]
