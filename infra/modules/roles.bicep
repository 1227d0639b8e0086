metadata description = 'The custom roles of roles.json: for each role one definition at every kind of scope that it is used at.'

targetScope = 'subscription'

@description('Id of the installation: role names are unique in a tenant.')
param installation string

@description('Subscriptions in which the roles can be assigned.')
param subscriptionIds string[]

var roles = loadJsonContent('../roles.json', 'roles')
var kinds = flatten(map(items(roles), role => map(union(map(role.value.grants, grant => grant.scope), []), scope => {
  role: role.key
  scope: scope
  description: role.value.description
  actions: map(filter(role.value.grants, grant => grant.scope == scope), grant => grant.action)
})))

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for kind in kinds: {
  name: guid(installation, kind.role, kind.scope)
  properties: {
    roleName: 'Tagback ${kind.role} (${kind.scope}) ${installation}'
    description: kind.description
    type: 'CustomRole'
    permissions: [
      {
        actions: kind.actions
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
    assignableScopes: map(subscriptionIds, id => '/subscriptions/${id}')
  }
}]
