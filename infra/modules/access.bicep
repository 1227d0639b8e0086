metadata description = 'What the identities may do in the whole of a subscription: read, and lend a disk to a snapshot.'

targetScope = 'subscription'

@description('Id of the installation.')
param installation string

@description('Object ids of the identities, one for each duty.')
param principalIds string[]

@description('The duties: which roles each identity holds.')
param duties array

@description('Whether recovery groups are made where none is listed; rights inside them then hold in the whole subscription.')
param createRecoveryGroups bool

var roles = loadJsonContent('../roles.json', 'roles')
var held = flatten(map(range(0, length(duties)), index => map(duties[index].roles, role => {
  principalId: principalIds[index]
  role: role
})))
var keepers = filter(held, each => each.role == 'keeper')
var founders = map(keepers, each => { principalId: each.principalId, role: 'founder' })
var listed = filter(held, each => !empty(filter(roles[each.role].grants, grant => grant.scope == 'subscription')))
var wide = map(listed, each => { principalId: each.principalId, role: each.role, scope: 'subscription' })
var founding = map(founders, each => { principalId: each.principalId, role: each.role, scope: 'subscription' })
var holding = filter(held, each => !empty(filter(roles[each.role].grants, grant => grant.scope == 'recovery')))
var inside = map(holding, each => { principalId: each.principalId, role: each.role, scope: 'recovery' })

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for each in (createRecoveryGroups ? concat(wide, founding, inside) : wide): {
  name: guid(subscription().id, installation, each.principalId, each.role, each.scope)
  properties: {
    principalId: each.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(installation, each.role, each.scope))
  }
}]
