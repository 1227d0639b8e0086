metadata description = 'A system topic may write to the queue events and to the container dead-letters, and to nothing else.'

@description('Storage account of the installation.')
param storageName string

@description('Object id of the topic\'s identity.')
param principalId string

var data = loadJsonContent('../roles.json', 'data')
var senderRole = first(filter(data, role => role.scope == 'events-queue'))!.id
var deadLetterRole = first(filter(data, role => role.scope == 'dead-letters'))!.id

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource events 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: queues
  name: 'events'
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: blobs
  name: 'dead-letters'
}

resource maySend 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(events.id, principalId, senderRole)
  scope: events
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRole)
  }
}

resource mayBury 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadLetters.id, principalId, deadLetterRole)
  scope: deadLetters
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', deadLetterRole)
  }
}
