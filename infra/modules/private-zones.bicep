metadata description = 'Private DNS zones in which private endpoints register, linked to the network of those who ask.'

@description('Names of the zones.')
param names string[]

@description('Network that resolves names by them.')
param networkId string

@description('Tags of the zones.')
param tags object

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for name in names: {
  name: name
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (name, index) in names: {
  parent: zones[index]
  name: 'tagback-${uniqueString(networkId)}'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: networkId }
  }
}]
