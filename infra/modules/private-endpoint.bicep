metadata description = 'A private endpoint: an address in a subnet by which one part of a resource is reached, and its name in private DNS zones.'

@description('Name of the endpoint.')
param name string

@description('Region of the subnet.')
param location string

@description('Tags of the endpoint.')
param tags object

@description('Subnet that the address is taken from.')
param subnetId string

@description('Resource that is reached.')
param targetId string

@description('Part of it, by the name that private link knows it: blob, queue, table, sites, topic, azuremonitor.')
param part string

@description('Private DNS zones that its names are registered in.')
param zoneIds string[]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    customNetworkInterfaceName: 'nic-${name}'
    privateLinkServiceConnections: [
      {
        name: part
        properties: {
          privateLinkServiceId: targetId
          groupIds: [part]
        }
      }
    ]
  }
}

resource registration 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [for zoneId in zoneIds: {
      name: replace(last(split(zoneId, '/')), '.', '-')
      properties: { privateDnsZoneId: zoneId }
    }]
  }
}
