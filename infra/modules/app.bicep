metadata description = 'A function app on Flex Consumption: all of them run the same package, each its own share of the functions.'

@description('Name of the app.')
param name string

@description('What it is called in the installation; its package lies in a container of that name.')
param app string

@description('Shares of functions.json that it runs; the others are switched off.')
param functions string[]

@description('Region of the app.')
param location string

@description('Tags of the app.')
param tags object

@description('Identity that it acts as.')
param identityId string

@description('Client id of that identity.')
param clientId string

@description('Storage account of the installation.')
param storageName string

@description('Storage account with the packages.')
param packagesName string

@description('Subnet that it sends its traffic through; empty: none.')
param subnetId string

@description('Whether it answers from the internet.')
param isPublic bool

@description('Instances that it may scale to.')
param maximumInstances int

@description('Where telemetry goes.')
param insightsConnection string

@description('What the product is told.')
param settings object

var shares = loadJsonContent('../functions.json')
var switchedOff = filter(items(shares), each => !contains(functions, each.value))
var disabled = toObject(switchedOff, each => 'AzureWebJobs_${each.key}_Disabled', each => 'true')
var host = {
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  AzureFunctionsWebHost__hostid: 'tagback-${app}'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  AZURE_CLIENT_ID: clientId
}

resource packages 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: packagesName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': app })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identityId
    clientCertEnabled: false
    functionAppConfig: {
      runtime: { name: 'python', version: '3.12' }
      scaleAndConcurrency: { instanceMemoryMB: 2048, maximumInstanceCount: maximumInstances }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${packages.properties.primaryEndpoints.blob}package-${app}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
      cors: { allowedOrigins: [], supportCredentials: false }
      appSettings: [for each in items(union(host, disabled, settings)): { name: each.key, value: each.value }]
    }
  }
}

resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'ftp'
  properties: { allow: false }
}

resource noPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'scm'
  properties: { allow: false }
}

@description('Name of the app.')
output name string = site.name

@description('Id of the app.')
output id string = site.id
