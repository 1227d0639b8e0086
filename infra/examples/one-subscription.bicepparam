using '../main.bicep'

// The smallest installation: one app, one subscription, one region. It only says what it would do until the mode is enforce.
param environmentName = 'tagback'
param location = 'westeurope'
param layout = 'one'
param protected = [
  { id: '00000000-0000-0000-0000-000000000001', mode: 'observe', regions: ['westeurope'], vaults: false, restorePoints: false }
]
param alertMails = ['operations@contoso.example']
