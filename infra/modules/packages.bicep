metadata description = 'A storage account for the packages of the apps and nothing else: each app reaches its own container, so that none can put code into another one.'

@description('Name of the account.')
param name string

@description('Region of the account.')
param location string

@description('Tags of the account.')
param tags object

@allowed(['public', 'subnet', 'private'])
@description('Who reaches the account over the network.')
param access string

@description('Subnet of the apps, for access = subnet.')
param subnetId string

@description('Apps, each of which gets a container for its package.')
param apps string[]

@description('Object ids of the identities of the apps, in the same order.')
param principalIds string[]

@minValue(1)
@description('Days that a deleted package can be brought back.')
param softDeleteDays int = 30

var packageRole = first(filter(loadJsonContent('../roles.json', 'data'), role => role.scope == 'package'))!.id

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_GRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    allowedCopyScope: 'AAD'
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: access == 'private' ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: access == 'public' ? 'Allow' : 'Deny'
      virtualNetworkRules: access == 'subnet' ? [{ id: subnetId, action: 'Allow' }] : []
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: {
        blob: { enabled: true, keyType: 'Account' }
      }
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: false
    deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
  }
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [for app in apps: {
  parent: blobs
  name: 'package-${app}'
  properties: { publicAccess: 'None' }
}]

resource reachesItsOwn 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (principalId, index) in principalIds: {
  name: guid(packages[index].id, principalId, packageRole)
  scope: packages[index]
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', packageRole)
  }
}]

@description('Name of the account.')
output name string = account.name

@description('Id of the account.')
output id string = account.id
