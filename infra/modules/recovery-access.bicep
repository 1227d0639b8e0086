metadata description = 'What the identities may do in a recovery group: make, hold and delete snapshots, each its own share of it.'

@description('Id of the installation.')
param installation string

@description('Object ids of the identities, one for each duty.')
param principalIds string[]

@description('The duties: which roles each identity holds.')
param duties array

@description('Whether plans use Azure Backup here.')
param vaults bool

@description('Whether the operator app may restore machines.')
param allowRestores bool

@description('Whether the operator app may drill restores.')
param allowDrills bool

var roles = loadJsonContent('../roles.json', 'roles')
var held = flatten(map(range(0, length(duties)), index => map(duties[index].roles, role => {
  principalId: principalIds[index]
  role: role
})))
var wanted = filter(held, each => (each.role != 'protector' || vaults) && (each.role != 'emptier' || vaults) && (each.role != 'attendant' || vaults) && (each.role != 'restorer' || allowRestores) && (each.role != 'recoverer' || (vaults && allowRestores)) && (each.role != 'driller' || allowDrills))
var inside = filter(wanted, each => !empty(filter(roles[each.role].grants, grant => grant.scope == 'recovery')))

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for each in inside: {
  name: guid(resourceGroup().id, installation, each.principalId, each.role)
  properties: {
    principalId: each.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(installation, each.role, 'recovery'))
  }
}]
