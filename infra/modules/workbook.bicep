metadata description = 'One page in the portal: what was captured, deleted, refused and throttled.'

@description('Region of the workbook.')
param location string

@description('Tags of the workbook.')
param tags object

@description('Workspace that it reads.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'tagback')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'Tagback'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook.json')
  }
}
