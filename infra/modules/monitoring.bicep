metadata description = 'Where logs go: a workspace with a daily cap, and Application Insights that takes no key.'

@description('Names the installation.')
param environmentName string

@description('Region of the workspace.')
param location string

@description('Tags of both.')
param tags object

@description('Days that logs are kept.')
param days int

@description('Gigabytes taken in a day at most.')
param gigabytesPerDay int

@description('Whether logs are taken from outside private networks; an identity is needed in any case.')
param isPublic bool

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-${environmentName}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: days
    workspaceCapping: { dailyQuotaGb: gigabytesPerDay }
    publicNetworkAccessForIngestion: isPublic ? 'Enabled' : 'Disabled'
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${environmentName}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    IngestionMode: 'LogAnalytics'
    WorkspaceResourceId: workspace.id
    publicNetworkAccessForIngestion: isPublic ? 'Enabled' : 'Disabled'
  }
}

@description('Id of the workspace.')
output workspaceId string = workspace.id

@description('Id of the Application Insights resource.')
output insightsId string = insights.id

@description('Name of the Application Insights resource.')
output insightsName string = insights.name

@description('Where telemetry is sent to; it opens nothing without an identity.')
output connectionString string = insights.properties.ConnectionString
