metadata description = 'The storage account: ledger, queues, models, audit log. It holds no key that opens it.'

@description('Name of the account.')
param name string

@description('Region of the account; a copy is kept in the paired region.')
param location string

@description('Tags of the account.')
param tags object

@allowed(['public', 'subnet', 'private'])
@description('Who reaches the account over the network.')
param access string

@description('Subnet of the apps, for access = subnet.')
param subnetId string

@description('Workspace that is told who deleted something.')
param workspaceId string

@minValue(1)
@description('Days that deleted blobs and containers can be brought back.')
param softDeleteDays int = 30

@minValue(1)
@description('Days that events which could not be delivered are kept: they say who changed a machine, from where.')
param deadLetterDays int = 30

@minValue(1)
@description('Days that nobody can change or delete what the audit log says; adding to it stays possible.')
param auditDays int = 365

var queues = ['vms', 'shards', 'reap', 'requests', 'events', 'vms-poison', 'shards-poison', 'reap-poison', 'requests-poison', 'events-poison']
var tables = ['ledger', 'shards']
var containers = ['models', 'audit', 'control', 'dead-letters']

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
        queue: { enabled: true, keyType: 'Account' }
        table: { enabled: true, keyType: 'Account' }
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

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [for each in containers: {
  parent: blobs
  name: each
  properties: { publicAccess: 'None' }
}]

resource auditStays 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = {
  parent: container[1]
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: auditDays
    allowProtectedAppendWrites: true
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [for each in queues: {
  parent: queueService
  name: each
}]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = [for each in tables: {
  parent: tableService
  name: each
}]

resource forgets 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'dead-letters'
          type: 'Lifecycle'
          enabled: true
          definition: {
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: deadLetterDays } } }
            filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['dead-letters/'] }
          }
        }
      ]
    }
  }
}

// Deletions alone: reads and writes are thousands a day, and would cost more than everything else together.
resource blobsDeleted 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'tagback-deletions'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageDelete', enabled: true }]
  }
}

resource rowsDeleted 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tableService
  name: 'tagback-deletions'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageDelete', enabled: true }]
  }
}

resource stays 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'tagback-ledger-stays'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'The ledger, the models of machines and the audit log. Recovery points outlive it; tagback rebuild makes it anew.'
  }
}

@description('Name of the account.')
output name string = account.name

@description('Id of the account.')
output id string = account.id
