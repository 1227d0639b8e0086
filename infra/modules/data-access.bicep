metadata description = 'What the identities may do with data: the storage account, the notification topic, and telemetry.'

@description('Storage account of the installation.')
param storageName string

@description('Topic that the apps publish to.')
param topicName string

@description('Application Insights that telemetry goes to.')
param insightsName string

@description('Object ids of the identities.')
param principalIds string[]

var data = loadJsonContent('../roles.json', 'data')
var onStorage = filter(data, role => role.scope == 'storage')

var storagePairs = flatten(map(principalIds, principalId => map(onStorage, role => {
  principalId: principalId
  roleId: role.id
})))

var topicRole = first(filter(data, role => role.scope == 'topic'))!.id
var insightsRole = first(filter(data, role => role.scope == 'insights'))!.id

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource onTheStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for pair in storagePairs: {
  name: guid(storage.id, pair.principalId, pair.roleId)
  scope: storage
  properties: {
    principalId: pair.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', pair.roleId)
  }
}]

resource onTheTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in principalIds: {
  name: guid(topic.id, principalId, topicRole)
  scope: topic
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', topicRole)
  }
}]

resource onTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in principalIds: {
  name: guid(insights.id, principalId, insightsRole)
  scope: insights
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', insightsRole)
  }
}]
