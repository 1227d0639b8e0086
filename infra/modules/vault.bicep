metadata description = 'A Recovery Services vault: geo-redundant, with soft delete that nobody can switch off.'

@description('Name of the vault.')
param name string

@description('Region of the vault: that of the machines it protects.')
param location string

@description('Tags of the vault.')
param tags object

@minValue(14)
@maxValue(180)
@description('Days that deleted backup data can be brought back.')
param softDeleteDays int = 14

resource vault 'Microsoft.RecoveryServices/vaults@2025-08-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  sku: { name: 'RS0', tier: 'Standard' }
  properties: {
    publicNetworkAccess: 'Enabled'
    redundancySettings: {
      standardTierStorageRedundancy: 'GeoRedundant'
      crossRegionRestore: 'Enabled'
    }
    securitySettings: {
      softDeleteSettings: {
        softDeleteState: 'AlwaysON'
        enhancedSecurityState: 'AlwaysON'
        softDeleteRetentionPeriodInDays: softDeleteDays
      }
      immutabilitySettings: { state: 'Unlocked' }
    }
    monitoringSettings: {
      azureMonitorAlertSettings: { alertsForAllJobFailures: 'Enabled' }
    }
  }
}

@description('Id of the vault.')
output id string = vault.id
