metadata description = 'The topic that a subscription\'s own events appear on: a new one, or the one that is there.'

@description('Name of the topic.')
param name string

@description('Whether it is made here.')
param isNew bool

@description('The subscription that the events come from.')
param source string

@description('Tags of a new topic.')
param tags object

resource made 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (isNew) {
  name: name
  location: 'global'
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: source
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

resource found 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (!isNew) {
  name: name
}

@description('Name of the topic.')
output name string = name

@description('Object id of its identity.')
output principalId string = isNew ? made!.identity.principalId : found!.identity.principalId
