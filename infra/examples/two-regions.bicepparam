using '../main.bicep'

// Machines in two regions, each with a vault of its own for plans that use Azure Backup.
param environmentName = 'tagback'
param location = 'westeurope'
param protected = [
  { id: '00000000-0000-0000-0000-000000000001', mode: 'enforce', regions: ['westeurope', 'northeurope'], vaults: true, restorePoints: true }
]
param alertMails = ['operations@contoso.example', 'night@contoso.example']
param logDays = 90
