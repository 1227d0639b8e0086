metadata description = 'What the identities may do in the whole of a subscription: read, lend a disk to a snapshot, and what a person switched on.'

targetScope = 'subscription'

@description('Id of the installation.')
param installation string

@description('Object ids of the identities, one for each duty.')
param principalIds string[]

@description('The duties: which roles each identity holds.')
param duties array

@description('Whether plans use Azure Backup in this subscription.')
param vaults bool

@description('Whether the operator app may restore machines.')
param allowRestores bool

@description('Whether the operator app may drill restores.')
param allowDrills bool

@description('Whether recovery groups are made where none is listed; rights inside them then hold in the whole subscription.')
param createRecoveryGroups bool

var roles = loadJsonContent('../roles.json', 'roles')
var held = flatten(map(range(0, length(duties)), index => map(duties[index].roles, role => {
  principalId: principalIds[index]
  role: role
})))
var wanted = filter(held, each => (each.role != 'protector' || vaults) && (each.role != 'emptier' || vaults) && (each.role != 'attendant' || vaults) && (each.role != 'restorer' || allowRestores) && (each.role != 'recoverer' || (vaults && allowRestores)) && (each.role != 'driller' || allowDrills))
var founders = map(filter(held, each => each.role == 'keeper'), each => { principalId: each.principalId, role: 'founder' })
var holders = createRecoveryGroups ? concat(wanted, founders) : wanted
var scopes = createRecoveryGroups ? ['subscription', 'targets', 'recovery'] : ['subscription', 'targets']
var assigned = flatten(map(holders, each => map(filter(scopes, scope => !empty(filter(roles[each.role].grants, grant => grant.scope == scope))), scope => {
  principalId: each.principalId
  role: each.role
  scope: scope
})))

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for each in assigned: {
  name: guid(subscription().id, installation, each.principalId, each.role, each.scope)
  properties: {
    principalId: each.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(installation, each.role, each.scope))
  }
}]
