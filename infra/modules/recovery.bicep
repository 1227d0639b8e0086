metadata description = 'A group that recovery points of one region are kept in. It is never locked: retention could not work in it.'

targetScope = 'subscription'

@description('Name of the group.')
param name string

@description('Region of the machines whose points it holds.')
param region string

@description('Tags of the group; tagback-owner names the installation.')
param tags object

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: name
  location: region
  tags: tags
}
