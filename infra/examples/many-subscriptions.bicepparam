using '../main.bicep'

// Three apps with an identity each; two subscriptions in force, one still watched only.
param environmentName = 'tagback'
param location = 'westeurope'
param protected = [
  { id: '00000000-0000-0000-0000-000000000001', mode: 'enforce', regions: ['westeurope'], vaults: false, restorePoints: false }
  { id: '00000000-0000-0000-0000-000000000002', mode: 'enforce', regions: ['westeurope', 'northeurope'], vaults: false, restorePoints: false }
  { id: '00000000-0000-0000-0000-000000000003', mode: 'observe', regions: ['westeurope'], vaults: false, restorePoints: false }
]
param alertMails = ['operations@contoso.example']
param inheritGroupTags = true
