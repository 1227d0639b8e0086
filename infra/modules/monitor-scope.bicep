metadata description = 'An Azure Monitor private link scope: what of Azure Monitor a network reaches by its private endpoint. A network has one.'

@description('Name of the scope.')
param name string

@description('Tags of the scope.')
param tags object

// Open: the names of Azure Monitor lead to the endpoint for the whole network, and PrivateOnly would cut off what others
// keep outside of this scope [Design Azure Monitor Private Link]. What is in it is closed by its own settings.
resource linkScope 'Microsoft.Insights/privateLinkScopes@2021-07-01-preview' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    accessModeSettings: {
      ingestionAccessMode: 'Open'
      queryAccessMode: 'Open'
    }
  }
}
