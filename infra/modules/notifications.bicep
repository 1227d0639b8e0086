metadata description = 'The topic on which the installation tells what happened. Whoever wants to know subscribes to it.'

@description('Names the installation.')
param environmentName string

@description('Region of the topic.')
param location string

@description('Tags of the topic.')
param tags object

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: 'evgt-${environmentName}'
  location: location
  tags: tags
  properties: {
    inputSchema: 'EventGridSchema'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

@description('Name of the topic.')
output name string = topic.name

@description('Where events are published to.')
output endpoint string = topic.properties.endpoint
