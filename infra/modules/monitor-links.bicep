metadata description = 'Puts the workspace and Application Insights into an Azure Monitor private link scope, one after the other.'

@description('Name of the scope, which is in the group that this is deployed to.')
param scopeName string

@description('Ids of what is put into it.')
param resourceIds string[]

resource linkScope 'Microsoft.Insights/privateLinkScopes@2021-07-01-preview' existing = {
  name: scopeName
}

@batchSize(1)
resource links 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview' = [for id in resourceIds: {
  parent: linkScope
  name: 'tagback-${uniqueString(id)}'
  properties: { linkedResourceId: id }
}]
