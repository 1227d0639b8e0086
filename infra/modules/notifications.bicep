metadata description = 'The topic on which the installation tells what happened. Whoever wants to know subscribes to it.'

@description('Names the installation.')
param environmentName string

@description('Region of the topic.')
param location string

@description('Tags of the topic.')
param tags object

@description('Whether it can be published to from outside private networks; an identity is needed in any case.')
param isPublic bool

@description('Workspace that is told what could not be published or delivered.')
param workspaceId string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: 'evgt-${environmentName}'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    inputSchema: 'EventGridSchema'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
  }
}

resource undelivered 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: topic
  name: 'tagback-failures'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'DeliveryFailures', enabled: true }
      { category: 'PublishFailures', enabled: true }
    ]
  }
}

@description('Id of the topic.')
output id string = topic.id

@description('Name of the topic.')
output name string = topic.name

@description('Where events are published to.')
output endpoint string = topic.properties.endpoint
