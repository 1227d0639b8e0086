metadata description = 'The identities that the apps act as: one for each app, assigned by the user so that rights exist before the code runs.'

@description('Region of the identities.')
param location string

@description('Tags of the identities.')
param tags object

@description('Their names.')
param names string[]

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = [for name in names: {
  name: name
  location: location
  tags: tags
}]

@description('Resource ids, in the order of the names.')
output ids string[] = [for (name, index) in names: identities[index].id]

@description('Client ids, in the order of the names.')
output clientIds string[] = [for (name, index) in names: identities[index].properties.clientId]

@description('Object ids, in the order of the names.')
output principalIds string[] = [for (name, index) in names: identities[index].properties.principalId]
