using '../main.bicep'

// Nothing answers from the internet: events go to a queue, storage is reached by private endpoints, and so are the apps.
// The network team makes two subnets beforehand, the one of the apps delegated to Microsoft.App/environments. Where a hub
// keeps the private DNS zones for everybody, dnsZonesGroupId names its group; without it they are made here. Where the network
// has an Azure Monitor private link scope already, monitorScopeId names it: the names of Azure Monitor lead to one only.
param environmentName = 'tagback'
param location = 'westeurope'
param protected = [
  { id: '00000000-0000-0000-0000-000000000001', mode: 'enforce', regions: ['westeurope'], vaults: false, restorePoints: false }
]
param eventDelivery = 'queue'
param storageAccess = 'private'
param publicApps = false
param functionSubnetId = '/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/functions'
param endpointSubnetId = '/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints'
param alertMails = ['operations@contoso.example']
